/** What all messages have in common (saml-core-2.0-os §3.2). */
import { SamlError } from "./errors.ts";
import { nameIdFormats, ns } from "./names.ts";
import { type Clocks, hasPassed, isAhead, readInstant } from "./time.ts";
import { attributeOf, childElements, childrenNamed, textOf } from "./xml.ts";

/** A message is answered or forwarded at once: one that is older was kept by somebody. */
const OLDEST_MESSAGE_SECONDS = 300;

export interface MessageExpectation extends Clocks {
  /** The other party's entity id. */
  readonly issuer: string;
  /** Our address that it was sent to. */
  readonly destination: string;
}

/**
 * @param signed a message that is signed has to name its destination, or it could be passed on to another recipient
 *   (saml-bindings-2.0-os §3.4.5.2, §3.5.5.2)
 * @throws SamlError
 */
export function checkMessage(
  root: Element,
  expected: MessageExpectation,
  { signed, issuerRequired }: { signed: boolean; issuerRequired: boolean },
): { readonly id: string } {
  const id = readId(root);
  checkVersion(root);
  const issued = readInstant(attributeOf(root, "IssueInstant"));
  const lapses = new Date(issued.getTime() + OLDEST_MESSAGE_SECONDS * 1000);
  if (isAhead(issued, expected) || hasPassed(lapses, expected))
    throw new SamlError("issue_instant", "a message that was not made just now");
  const destination = attributeOf(root, "Destination");
  if (destination === undefined ? signed : destination !== expected.destination)
    throw new SamlError("destination", "a message to somebody else");
  const issuer = issuerOf(root);
  if (issuer === undefined ? issuerRequired : issuer !== expected.issuer)
    throw new SamlError("issuer", "a message of somebody else");
  return { id };
}

/** @throws SamlError for an element without an `ID` */
export function readId(element: Element): string {
  const id = attributeOf(element, "ID");
  if (id === undefined || id === "" || id.length > 256)
    throw new SamlError("message_id", `the ${element.localName} has no ID`);
  return id;
}

/** @throws SamlError */
export function checkVersion(element: Element): void {
  if (attributeOf(element, "Version") !== "2.0") throw new SamlError("version", "not SAML 2.0");
}

/** saml-core-2.0-os §2.2.5: an entity's, when it says of what format it is. */
export function issuerOf(element: Element): string | undefined {
  const [issuer, ...more] = childrenNamed(element, ns.assertion, "Issuer");
  if (!issuer) return undefined;
  const format = attributeOf(issuer, "Format");
  if (more.length > 0 || (format !== undefined && format !== nameIdFormats.entity))
    throw new SamlError("issuer", "an issuer that is no entity");
  return plainTextOf(issuer, "issuer");
}

/** saml-core-2.0-os §3.2.2.2. @returns the codes, the outermost first */
export function statusOf(root: Element): readonly string[] {
  const [status, ...more] = childrenNamed(root, ns.protocol, "Status");
  if (!status || more.length > 0) throw new SamlError("status", "no status, or several");
  return codesIn(status);
}

function codesIn(element: Element): readonly string[] {
  const [code, ...more] = childrenNamed(element, ns.protocol, "StatusCode");
  if (!code) return [];
  if (more.length > 0) throw new SamlError("status", "several status codes");
  return [attributeOf(code, "Value") ?? "", ...codesIn(code)];
}

/** Text alone. @throws SamlError for an element that holds others */
export function plainTextOf(element: Element, reason: "issuer" | "name_id" | "audience"): string {
  if (childElements(element).length > 0) throw new SamlError(reason, "elements where text belongs");
  return textOf(element);
}

/** By whom and how somebody is named (saml-core-2.0-os §2.2.3). */
export interface NameId {
  readonly value: string;
  readonly format: string | undefined;
  readonly nameQualifier: string | undefined;
  readonly spNameQualifier: string | undefined;
}

const LONGEST_NAME_ID = 1024;

/** @throws SamlError unless there is exactly one */
export function readNameId(parent: Element): NameId {
  const [nameId, ...more] = childrenNamed(parent, ns.assertion, "NameID");
  if (!nameId || more.length > 0) throw new SamlError("name_id", "no NameID, or several");
  const value = plainTextOf(nameId, "name_id");
  if (value === "" || value.length > LONGEST_NAME_ID) throw new SamlError("name_id", "an unusable NameID");
  return {
    value,
    format: attributeOf(nameId, "Format"),
    nameQualifier: attributeOf(nameId, "NameQualifier"),
    spNameQualifier: attributeOf(nameId, "SPNameQualifier"),
  };
}
