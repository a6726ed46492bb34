import { SamlError } from "./errors.ts";

/**
 * The standard allows 80 bytes (saml-bindings-2.0-os §3.4.3, §3.5.3); applications put whole addresses there. It goes back to who
 * sent it, and waits sealed in a form or an address meanwhile.
 */
const MOST_CHARACTERS = 1024;

/** @throws SamlError for a long one */
export function readRelayState(text: string | null | undefined): string | undefined {
  if ((text ?? "").length > MOST_CHARACTERS) throw new SamlError("too_large", "a long RelayState");
  return text ?? undefined;
}
