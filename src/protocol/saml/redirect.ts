/** The HTTP-Redirect binding (saml-bindings-2.0-os §3.4): messages in addresses, read as they were spelt there. */
import { inflateRawSync } from "node:zlib";
import { type SignaturePolicy, verifyBytes } from "./algorithms.ts";
import { SamlError } from "./errors.ts";
import { readRelayState } from "./relay-state.ts";
import { decodeBase64, decodeUtf8 } from "./xml.ts";

export type MessageParameter = "SAMLRequest" | "SAMLResponse";

export interface RedirectMessage {
  readonly parameter: MessageParameter;
  /** The XML. */
  readonly text: string;
  readonly relayState: string | undefined;
  readonly signature:
    { readonly algorithm: string; readonly value: Buffer; readonly over: Buffer } | undefined;
}

const DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
/** Of an address; servers and browsers cut longer ones off. */
const MOST_QUERY_CHARACTERS = 32_768;
/** What travels this way are requests, and answers without an assertion: each has a few hundred bytes. */
const MOST_INFLATED_BYTES = 16 * 1024;

/**
 * @param query as it came, without the question mark: a signature is over the very characters
 * @throws SamlError
 */
export function readRedirect(query: string): RedirectMessage {
  if (query.length > MOST_QUERY_CHARACTERS) throw new SamlError("too_large", "a long address");
  const raw = new Map<string, string>();
  for (const pair of query.split("&").filter((part) => part !== "")) {
    const separator = pair.includes("=") ? pair.indexOf("=") : pair.length;
    const name = decode(pair.slice(0, separator));
    if (raw.has(name)) throw new SamlError("encoding", "a parameter twice");
    raw.set(name, pair.slice(separator + 1));
  }
  const value = (name: string) => {
    const found = raw.get(name);
    return found === undefined ? undefined : decode(found);
  };
  const [parameter, ...more] = (["SAMLRequest", "SAMLResponse"] as const).filter((name) => raw.has(name));
  if (!parameter || more.length > 0) throw new SamlError("unexpected_message", "not one message");
  if ((value("SAMLEncoding") ?? DEFLATE) !== DEFLATE) throw new SamlError("encoding", "an unknown encoding");
  const algorithm = value("SigAlg");
  const signature = value("Signature");
  return {
    parameter,
    text: inflate(decodeBase64(value(parameter) ?? "")),
    relayState: readRelayState(value("RelayState")),
    signature:
      signature === undefined || algorithm === undefined
        ? undefined
        : { algorithm, value: decodeBase64(signature), over: signedCharacters(raw, parameter) },
  };
}

/** §3.4.4.1: these, in this order, as the sender spelt them. */
function signedCharacters(raw: ReadonlyMap<string, string>, parameter: MessageParameter): Buffer {
  const names = [parameter, "RelayState", "SigAlg"].filter((name) => raw.has(name));
  return Buffer.from(names.map((name) => `${name}=${raw.get(name)}`).join("&"));
}

/** @throws SamlError unless somebody who is trusted signed the address */
export function verifyRedirect({ signature }: RedirectMessage, policy: SignaturePolicy): void {
  if (!signature) throw new SamlError("unsigned", "the address is not signed");
  verifyBytes(signature.over, signature, policy);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new SamlError("encoding", "a malformed address");
  }
}

/** A few bytes inflate to a thousand times as many: more than a message of this kind may have are not made. */
function inflate(bytes: Buffer): string {
  try {
    return decodeUtf8(inflateRawSync(bytes, { maxOutputLength: MOST_INFLATED_BYTES }));
  } catch (error) {
    if (error instanceof SamlError) throw error;
    throw new SamlError("deflate", "not deflated, or too large when inflated");
  }
}
