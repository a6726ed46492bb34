/** Responses of an identity provider (saml-core-2.0-os §3.3.3, saml-profiles-2.0-os §4.1.4). */
import type { SignaturePolicy } from "./algorithms.ts";
import { type Assertion, readAssertion } from "./assertion.ts";
import { decryptAssertion, type DecryptionPolicy } from "./encryption.ts";
import { SamlError } from "./errors.ts";
import { checkMessage, statusOf } from "./message.ts";
import { ns, statusCodes } from "./names.ts";
import { isSigned, refuseMisplacedSignatures, verifySigned } from "./signature.ts";
import type { Clocks } from "./time.ts";
import { attributeOf, elementsOf, isNamed, parseXml } from "./xml.ts";

export interface ResponsePolicy {
  readonly signatures: SignaturePolicy;
  readonly decryption: DecryptionPolicy;
  /** Whether it is not enough that the assertion is signed. */
  readonly requireResponseSigned: boolean;
  readonly requireEncryption: boolean;
}

/** A response whose signature holds. What it says was not looked at yet. */
export interface VerifiedResponse {
  /** As it was signed; where the assertion alone is signed, as it came: then it can refuse, and vouch for nothing. */
  readonly response: Element;
  readonly responseSigned: boolean;
  /** As it was signed. */
  readonly assertion: Element;
  /** What the schemas are to be asked about: the message, and the assertion that was sealed in it. */
  readonly documents: readonly string[];
}

/**
 * The signature first: nothing of the message is looked at before, but where its signatures are.
 * @throws SamlError
 */
export function verifyResponse(text: string, policy: ResponsePolicy): VerifiedResponse {
  const received = parseXml(text);
  if (!isNamed(received, ns.protocol, "Response"))
    throw new SamlError("unexpected_message", "not a Response");
  requireSuccess(received);
  const carrier = theAssertion(received);
  refuseMisplacedSignatures(received, [received, carrier]);
  const responseSigned = isSigned(received);
  if (!responseSigned && policy.requireResponseSigned)
    throw new SamlError("response_unsigned", "the response itself is not signed");
  // Each verification takes its document apart: each gets its own.
  const response = responseSigned ? verifySigned(parseXml(text), policy.signatures) : received;
  if (isNamed(carrier, ns.assertion, "EncryptedAssertion")) {
    const sealed = theAssertion(response);
    const { assertion, document } = openSealed(sealed, policy, { vouchedFor: responseSigned });
    return { response, responseSigned, assertion, documents: [text, document] };
  }
  if (policy.requireEncryption) throw new SamlError("not_encrypted", "the assertion is not encrypted");
  const signed = isSigned(carrier)
    ? verifySigned(theAssertion(parseXml(text)), policy.signatures)
    : undefined;
  const assertion = responseSigned ? theAssertion(response) : signed;
  if (!assertion) throw new SamlError("unsigned", "neither the response nor its assertion is signed");
  return { response, responseSigned, assertion, documents: [text] };
}

function openSealed(
  sealed: Element,
  policy: ResponsePolicy,
  { vouchedFor }: { vouchedFor: boolean },
): { assertion: Element; document: string } {
  const document = decryptAssertion(sealed, policy.decryption);
  const assertion = parseXml(document);
  if (!isNamed(assertion, ns.assertion, "Assertion") || assertionsIn(assertion).length !== 1)
    throw new SamlError("assertion_count", "not one assertion was encrypted");
  refuseMisplacedSignatures(assertion, [assertion]);
  if (isSigned(assertion)) return { assertion: verifySigned(assertion, policy.signatures), document };
  if (!vouchedFor) throw new SamlError("unsigned", "neither the response nor its assertion is signed");
  return { assertion, document };
}

const assertionsIn = (root: Element): Element[] =>
  elementsOf(root).filter((element) =>
    ["Assertion", "EncryptedAssertion"].some((name) => isNamed(element, ns.assertion, name)),
  );

/** One in the whole message, wherever others could hide, and in its place. */
function theAssertion(response: Element): Element {
  const [assertion, ...more] = assertionsIn(response);
  if (!assertion || more.length > 0 || assertion.parentNode !== response)
    throw new SamlError("assertion_count", "not one assertion, in its place");
  return assertion;
}

function requireSuccess(response: Element): void {
  const [code, detail] = statusOf(response);
  if (code === statusCodes.success) return;
  const known = [code, detail].filter((value) => /^[\w:.-]{1,128}$/.test(value ?? ""));
  throw new SamlError("status", `the identity provider says ${known.join(" ")}`);
}

export interface ResponseExpectation extends Clocks {
  /** The identity provider's entity id. */
  readonly issuer: string;
  /** Our own. */
  readonly audience: string;
  /** Of our assertion consumer service. */
  readonly acsUrl: string;
}

export interface SamlAnswer extends Assertion {
  /** The ID of the AuthnRequest that it answers, as far as a signature says so; undefined: it was not asked for. */
  readonly inResponseTo: string | undefined;
}

/** What a verified response says, if it says it to us and now. @throws SamlError */
export function readResponse(verified: VerifiedResponse, expected: ResponseExpectation): SamlAnswer {
  const { response, responseSigned } = verified;
  checkMessage(
    response,
    { ...expected, destination: expected.acsUrl },
    { signed: responseSigned, issuerRequired: responseSigned },
  );
  requireSuccess(response);
  const assertion = readAssertion(verified.assertion, { ...expected, recipient: expected.acsUrl });
  const ofResponse = attributeOf(response, "InResponseTo");
  const contradicts =
    ofResponse !== undefined && (assertion.inResponseTo ?? (responseSigned ? ofResponse : "")) !== ofResponse;
  if (contradicts) throw new SamlError("in_response_to", "response and assertion answer different requests");
  return { ...assertion, inResponseTo: assertion.inResponseTo ?? ofResponse };
}

/**
 * Whether it answers the request that this browser was sent with.
 * @param requestId undefined where the browser was sent with none
 * @throws SamlError
 */
export function checkInResponseTo(
  inResponseTo: string | undefined,
  expected: { requestId: string | undefined; allowIdpInitiated: boolean },
): void {
  const { requestId, allowIdpInitiated } = expected;
  if (inResponseTo !== requestId)
    throw new SamlError("in_response_to", "an answer to another request than this browser's");
  if (inResponseTo === undefined && !allowIdpInitiated)
    throw new SamlError("unsolicited", "a sign-in that did not begin here");
}
