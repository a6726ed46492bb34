/** StartTLS (RFC 4511 §4.14): the one request and the one answer that go over a connection before it is secure. */

const OID = "1.3.6.1.4.1.1466.20037";

/** LDAPMessage of id 1 with an ExtendedRequest ([APPLICATION 23]) whose requestName is the OID. */
export const START_TLS_REQUEST: Uint8Array = Buffer.concat([
  Buffer.from([0x30, OID.length + 7, 0x02, 0x01, 0x01, 0x77, OID.length + 2, 0x80, OID.length]),
  Buffer.from(OID, "ascii"),
]);

/** LDAPMessage is one (RFC 4511 §4.1.1). */
const SEQUENCE = 0x30;
/** Longer than any answer of a directory; what is longer is none. */
const MOST_BYTES = 4096;

export type StartTlsAnswer = "incomplete" | "accepted" | "refused";

/**
 * Reads what came back. It has to be the answer and nothing after it: what somebody slipped in behind it, in the clear,
 * would be read later as if it had come over TLS.
 */
export function readStartTlsAnswer(bytes: Uint8Array): StartTlsAnswer {
  if (bytes.length > MOST_BYTES || (bytes.length > 0 && bytes[0] !== SEQUENCE)) return "refused";
  const message = element(bytes, 0);
  if (message === undefined) return "incomplete";
  if (message.end !== bytes.length) return "refused";
  const id = element(bytes, message.start);
  if (!id || id.tag !== 0x02 || id.end - id.start !== 1 || bytes[id.start] !== 1) return "refused";
  // [APPLICATION 24] ExtendedResponse, whose first component is the resultCode.
  const response = element(bytes, id.end);
  if (!response || response.tag !== 0x78 || response.end > message.end) return "refused";
  const result = element(bytes, response.start);
  const success = result?.tag === 0x0a && result.end - result.start === 1 && bytes[result.start] === 0;
  return success ? "accepted" : "refused";
}

interface Element {
  readonly tag: number;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

/** The element at a place (X.690 §8.1, lengths of up to three octets). @returns undefined while it is not all there */
function element(bytes: Uint8Array, at: number): Element | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  // The indefinite form (0x80) is not LDAP's (RFC 4511 §5.1): as a length of zero it is refused by what follows.
  if (octets > 3) return { tag: 0, start: at, end: at };
  let length = octets === 0 ? first & 0x7f : 0;
  for (let index = 0; index < octets; index++) {
    const octet = bytes[at + 2 + index];
    if (octet === undefined) return undefined;
    length = length * 256 + octet;
  }
  const start = at + 2 + octets;
  return start + length > bytes.length ? undefined : { tag, start, end: start + length };
}
