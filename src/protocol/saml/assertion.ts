/**
 * What an assertion says, and whether it says it to us and now (saml-core-2.0-os §2, saml-profiles-2.0-os §4.1.4.2).
 * Given only what was signed.
 */
import { SamlError } from "./errors.ts";
import { checkVersion, issuerOf, type NameId, plainTextOf, readId, readNameId } from "./message.ts";
import { BEARER, ns } from "./names.ts";
import { type Clocks, hasPassed, isAhead, readInstant } from "./time.ts";
import { attributeOf, childElements, childrenNamed, isNamed, textOf } from "./xml.ts";

export interface AssertionExpectation extends Clocks {
  /** The identity provider's entity id. */
  readonly issuer: string;
  /** Our own. */
  readonly audience: string;
  /** The address of our assertion consumer service that it was sent to. */
  readonly recipient: string;
}

export interface Assertion {
  readonly id: string;
  readonly nameId: NameId;
  /** The request that its subject confirmation answers; undefined: none. */
  readonly inResponseTo: string | undefined;
  /** Until when it could be presented again, if it were not remembered; without the skew. */
  readonly expiresAt: Date;
  readonly authnInstant: Date;
  readonly sessionIndex: string | undefined;
  readonly sessionNotOnOrAfter: Date | undefined;
  readonly authnContextClassRef: string | undefined;
  /** Name -> values, in order. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** @throws SamlError */
export function readAssertion(assertion: Element, expected: AssertionExpectation): Assertion {
  const id = readId(assertion);
  checkVersion(assertion);
  if (isAhead(readInstant(attributeOf(assertion, "IssueInstant")), expected))
    throw new SamlError("issue_instant", "an assertion of the future");
  if (issuerOf(assertion) !== expected.issuer)
    throw new SamlError("issuer", "an assertion of another identity provider");
  const subject = onlyChild(assertion, "Subject", "subject");
  const nameId = readNameId(subject);
  if (nameId.spNameQualifier !== undefined && nameId.spNameQualifier !== expected.audience)
    throw new SamlError("name_id", "a name that is for another service provider");
  const confirmation = confirmSubject(subject, expected);
  const lapses = checkConditions(onlyChild(assertion, "Conditions", "conditions"), expected);
  return {
    id,
    nameId,
    inResponseTo: confirmation.inResponseTo,
    expiresAt: lapses && lapses > confirmation.notOnOrAfter ? lapses : confirmation.notOnOrAfter,
    ...readAuthnStatement(assertion, expected),
    attributes: readAttributes(assertion),
  };
}

interface Confirmation {
  readonly inResponseTo: string | undefined;
  readonly notOnOrAfter: Date;
}

/** One that holds is enough; when none does, the first says why. */
function confirmSubject(subject: Element, expected: AssertionExpectation): Confirmation {
  const bearers = childrenNamed(subject, ns.assertion, "SubjectConfirmation").filter(
    (confirmation) => attributeOf(confirmation, "Method") === BEARER,
  );
  let problem = new SamlError("subject_confirmation", "no bearer confirmation");
  for (const [index, bearer] of bearers.entries()) {
    try {
      return checkBearer(bearer, expected);
    } catch (error) {
      if (!(error instanceof SamlError)) throw error;
      if (index === 0) problem = error;
    }
  }
  throw problem;
}

/** saml-profiles-2.0-os §4.1.4.2. */
function checkBearer(confirmation: Element, expected: AssertionExpectation): Confirmation {
  const [data, ...more] = childrenNamed(confirmation, ns.assertion, "SubjectConfirmationData");
  if (!data || more.length > 0)
    throw new SamlError("subject_confirmation", "a bearer confirmation without data");
  if (attributeOf(data, "Recipient") !== expected.recipient)
    throw new SamlError("recipient", "an assertion for another recipient");
  if (attributeOf(data, "NotBefore") !== undefined)
    throw new SamlError("subject_confirmation", "a bearer confirmation with NotBefore");
  const end = attributeOf(data, "NotOnOrAfter");
  if (end === undefined) throw new SamlError("subject_confirmation", "a bearer confirmation without an end");
  const notOnOrAfter = readInstant(end);
  if (hasPassed(notOnOrAfter, expected)) throw new SamlError("expired", "the subject confirmation is over");
  return { inResponseTo: attributeOf(data, "InResponseTo"), notOnOrAfter };
}

/** saml-core-2.0-os §2.5.1. @returns when they lapse, if they say so */
function checkConditions(conditions: Element, expected: AssertionExpectation): Date | undefined {
  const start = attributeOf(conditions, "NotBefore");
  const end = attributeOf(conditions, "NotOnOrAfter");
  if (start !== undefined && isAhead(readInstant(start), expected))
    throw new SamlError("not_yet_valid", "the conditions do not hold yet");
  const notOnOrAfter = end === undefined ? undefined : readInstant(end);
  if (notOnOrAfter && hasPassed(notOnOrAfter, expected))
    throw new SamlError("expired", "the conditions hold no more");
  const known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
  // One that cannot be judged makes the whole assertion invalid (§2.5.1.1). Every assertion is used once alone, and
  // none is passed on: the other two hold by themselves.
  if (childElements(conditions).some((child) => !known.some((name) => isNamed(child, ns.assertion, name))))
    throw new SamlError("conditions", "a condition that is not known");
  const restrictions = childrenNamed(conditions, ns.assertion, "AudienceRestriction");
  const forUs = restrictions.every((restriction) =>
    childrenNamed(restriction, ns.assertion, "Audience").some(
      (audience) => plainTextOf(audience, "audience") === expected.audience,
    ),
  );
  if (restrictions.length === 0 || !forUs)
    throw new SamlError("audience", "an assertion for another service provider");
  return notOnOrAfter;
}

/** saml-core-2.0-os §2.7.2. */
function readAuthnStatement(assertion: Element, expected: AssertionExpectation) {
  const statement = onlyChild(assertion, "AuthnStatement", "authn_statement");
  const authnInstant = readInstant(attributeOf(statement, "AuthnInstant"));
  if (isAhead(authnInstant, expected)) throw new SamlError("authn_statement", "a sign-in of the future");
  const end = attributeOf(statement, "SessionNotOnOrAfter");
  const sessionNotOnOrAfter = end === undefined ? undefined : readInstant(end);
  if (sessionNotOnOrAfter && hasPassed(sessionNotOnOrAfter, expected))
    throw new SamlError("expired", "the session at the identity provider is over");
  const context = childrenNamed(statement, ns.assertion, "AuthnContext")[0];
  const classRef = context && childrenNamed(context, ns.assertion, "AuthnContextClassRef")[0];
  return {
    authnInstant,
    sessionIndex: attributeOf(statement, "SessionIndex"),
    sessionNotOnOrAfter,
    authnContextClassRef: classRef && textOf(classRef),
  };
}

/** saml-core-2.0-os §2.7.3. Values as text, whatever type they claim to be of. */
function readAttributes(assertion: Element): Record<string, string[]> {
  const attributes = new Map<string, string[]>();
  for (const statement of childrenNamed(assertion, ns.assertion, "AttributeStatement")) {
    for (const attribute of childrenNamed(statement, ns.assertion, "Attribute")) {
      const name = attributeOf(attribute, "Name") ?? "";
      const values = childrenNamed(attribute, ns.assertion, "AttributeValue").map(textOf);
      attributes.set(name, [...(attributes.get(name) ?? []), ...values]);
    }
  }
  return Object.fromEntries(attributes);
}

function onlyChild(
  parent: Element,
  localName: string,
  reason: "subject" | "conditions" | "authn_statement",
): Element {
  const [child, ...more] = childrenNamed(parent, ns.assertion, localName);
  if (!child || more.length > 0) throw new SamlError(reason, `no ${localName}, or several`);
  return child;
}
