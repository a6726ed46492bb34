/** What protocol messages of ours have in common (SAML Core §3.2). */
import { ns } from "../names.ts";
import { type Attributes, type Content, dateTime, element, type Xml } from "./xml.ts";

export interface MessageHead {
  readonly id: string;
  readonly issueInstant: Date;
  /** Our entityID. */
  readonly issuer: string;
  readonly destination: string;
  readonly inResponseTo?: string | undefined;
}

export function message(
  name: `samlp:${string}`,
  head: MessageHead,
  attributes: Attributes,
  ...content: Content[]
): Xml {
  return element(
    name,
    {
      "xmlns:samlp": ns.protocol,
      "xmlns:saml": ns.assertion,
      ID: head.id,
      Version: "2.0",
      IssueInstant: dateTime(head.issueInstant),
      Destination: head.destination,
      InResponseTo: head.inResponseTo,
      ...attributes,
    },
    element("saml:Issuer", {}, head.issuer),
    ...content,
  );
}

/** SAML Core §3.2.2.1. */
export interface Status {
  /** A top-level code. */
  readonly code: string;
  readonly subcode?: string | undefined;
  /** For who reads the application's log. */
  readonly message?: string | undefined;
}

export function status({ code, subcode, message: text }: Status): Xml {
  return element(
    "samlp:Status",
    {},
    element(
      "samlp:StatusCode",
      { Value: code },
      subcode === undefined ? undefined : element("samlp:StatusCode", { Value: subcode }),
    ),
    text === undefined ? undefined : element("samlp:StatusMessage", {}, text),
  );
}

export interface NameId {
  /** A URI of SAML Core §8.3. */
  readonly format: string;
  readonly value: string;
  /** For whom a persistent or transient identifier was made, and by whom (SAML Core §8.3.7). */
  readonly nameQualifier?: string | undefined;
  readonly spNameQualifier?: string | undefined;
}

export const nameId = ({ format, value, nameQualifier, spNameQualifier }: NameId): Xml =>
  element(
    "saml:NameID",
    { Format: format, NameQualifier: nameQualifier, SPNameQualifier: spNameQualifier },
    value,
  );
