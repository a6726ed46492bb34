/** The HTTP-POST binding (saml-bindings-2.0-os §3.5): messages in forms, signed as documents. */
import { SamlError } from "./errors.ts";
import type { MessageParameter } from "./redirect.ts";
import { readRelayState } from "./relay-state.ts";
import { decodeBase64, decodeUtf8, MOST_MESSAGE_BYTES } from "./xml.ts";

export interface PostMessage {
  readonly parameter: MessageParameter;
  /** The XML. */
  readonly text: string;
  readonly relayState: string | undefined;
}

/** @throws SamlError for a form without a message, with several, or with one that is too large */
export function readPost(form: URLSearchParams): PostMessage {
  const [parameter, ...more] = (["SAMLRequest", "SAMLResponse"] as const).filter((name) => form.has(name));
  if (!parameter || more.length > 0) throw new SamlError("unexpected_message", "not one message");
  if ([parameter, "RelayState"].some((name) => form.getAll(name).length > 1))
    throw new SamlError("encoding", "a parameter twice");
  const encoded = form.get(parameter) ?? "";
  // White space and the last group aside, four characters are three bytes.
  if (encoded.length > MOST_MESSAGE_BYTES * 1.5) throw new SamlError("too_large", "a large message");
  return {
    parameter,
    text: decodeUtf8(decodeBase64(encoded)),
    relayState: readRelayState(form.get("RelayState")),
  };
}
