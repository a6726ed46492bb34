/** Single logout (saml-core-2.0-os §3.7, saml-profiles-2.0-os §4.4). */
import type { SignaturePolicy } from "./algorithms.ts";
import { SamlError } from "./errors.ts";
import { checkMessage, type MessageExpectation, type NameId, readNameId, statusOf } from "./message.ts";
import { ns, statusCodes } from "./names.ts";
import type { RedirectMessage } from "./redirect.ts";
import { verifyRedirect } from "./redirect.ts";
import { refuseMisplacedSignatures, verifySigned } from "./signature.ts";
import { hasPassed, readInstant } from "./time.ts";
import { attributeOf, childrenNamed, isNamed, parseXml, textOf } from "./xml.ts";

export interface LogoutRequest {
  readonly kind: "request";
  readonly id: string;
  readonly nameId: NameId;
  /** None means: every session. */
  readonly sessionIndexes: readonly string[];
}

export interface LogoutResponse {
  readonly kind: "response";
  readonly inResponseTo: string | undefined;
  readonly success: boolean;
}

/** A message by the redirect binding, signed as an address. @throws SamlError */
export function readRedirectLogout(
  message: RedirectMessage,
  policy: SignaturePolicy,
  expected: MessageExpectation,
): LogoutRequest | LogoutResponse {
  verifyRedirect(message, policy);
  const root = parseXml(message.text);
  // The address vouches for all of it; one that is in it, of whatever, is not needed.
  refuseMisplacedSignatures(root, []);
  return readLogout(root, expected);
}

/** A message by the POST binding, signed as a document. @throws SamlError */
export function readPostLogout(
  text: string,
  policy: SignaturePolicy,
  expected: MessageExpectation,
): LogoutRequest | LogoutResponse {
  const root = parseXml(text);
  refuseMisplacedSignatures(root, [root]);
  return readLogout(verifySigned(root, policy), expected);
}

function readLogout(root: Element, expected: MessageExpectation): LogoutRequest | LogoutResponse {
  const { id } = checkMessage(root, expected, { signed: true, issuerRequired: true });
  if (isNamed(root, ns.protocol, "LogoutResponse")) {
    const success = statusOf(root)[0] === statusCodes.success;
    return { kind: "response", inResponseTo: attributeOf(root, "InResponseTo"), success };
  }
  if (!isNamed(root, ns.protocol, "LogoutRequest"))
    throw new SamlError("unexpected_message", "not a message of single logout");
  const end = attributeOf(root, "NotOnOrAfter");
  if (end !== undefined && hasPassed(readInstant(end), expected))
    throw new SamlError("expired", "the request is over");
  return {
    kind: "request",
    id,
    nameId: readNameId(root),
    sessionIndexes: childrenNamed(root, ns.protocol, "SessionIndex").map(textOf),
  };
}
