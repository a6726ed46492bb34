/** Responses to AuthnRequests (SAML Core §3.3.3, SAML Profiles §4.1.4.2). */
import { BEARER, bindings, ns, statusCodes } from "../names.ts";
import { encryptAssertion } from "./encrypt.ts";
import { message, type MessageHead, type NameId, nameId, type Status, status } from "./message.ts";
import { type SamlSigner, signDocument } from "./sign.ts";
import { dateTime, element, type Xml } from "./xml.ts";

/** What an assertion says. */
export interface AssertionInput {
  readonly id: string;
  readonly issuer: string;
  readonly issueInstant: Date;
  readonly nameId: NameId;
  /** The entityID of the application: its only audience. */
  readonly audience: string;
  /** The assertion consumer service. */
  readonly recipient: string;
  readonly inResponseTo?: string | undefined;
  readonly notBefore: Date;
  readonly notOnOrAfter: Date;
  readonly authnInstant: Date;
  readonly sessionIndex: string;
  readonly sessionNotOnOrAfter: Date;
  readonly authnContextClassRef: string;
  readonly attributes: readonly AttributeInput[];
}

export interface AttributeInput {
  readonly name: string;
  readonly friendlyName?: string | undefined;
  /** A URI of SAML Core §8.2. */
  readonly nameFormat: string;
  /** Of XML Schema, without its prefix. */
  readonly type: string;
  readonly values: readonly string[];
}

/** How a response is protected. Of the two signatures there has to be one: nothing else says who it is from. */
export interface Protection {
  readonly signer: SamlSigner;
  readonly signResponse: boolean;
  readonly signAssertion: boolean;
  /** PEM: the assertion is encrypted for it. */
  readonly encryptFor?: string | undefined;
}

/** A response with one assertion. The assertion is signed before it is encrypted, and the response after all. */
export async function successResponse(
  head: MessageHead,
  assertion: AssertionInput,
  protection: Protection,
): Promise<Xml> {
  const { signer, signResponse, signAssertion, encryptFor } = protection;
  if (!signResponse && !signAssertion) throw new RangeError("a response without a signature");
  const written = writeAssertion(assertion);
  const signed = signAssertion ? signDocument(written, signer, { after: "Issuer" }) : written;
  const content = encryptFor === undefined ? signed : await encryptAssertion(signed, encryptFor);
  const response = message("samlp:Response", head, {}, status({ code: statusCodes.success }), content);
  return signResponse ? signDocument(response, signer, { after: "Issuer" }) : response;
}

/** A response that says why there is no assertion. Always signed: there is nothing else in it to sign. */
export function errorResponse(head: MessageHead, reason: Status, signer: SamlSigner): Xml {
  return signDocument(message("samlp:Response", head, {}, status(reason)), signer, { after: "Issuer" });
}

function writeAssertion(input: AssertionInput): Xml {
  return element(
    "saml:Assertion",
    {
      "xmlns:saml": ns.assertion,
      "xmlns:xs": "http://www.w3.org/2001/XMLSchema",
      "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
      ID: input.id,
      Version: "2.0",
      IssueInstant: dateTime(input.issueInstant),
    },
    element("saml:Issuer", {}, input.issuer),
    subject(input),
    conditions(input),
    authnStatement(input),
    attributeStatement(input.attributes),
  );
}

/** SAML Profiles §4.1.4.2: a bearer confirmation, for one recipient, one request and a few minutes. */
const subject = (input: AssertionInput): Xml =>
  element(
    "saml:Subject",
    {},
    nameId(input.nameId),
    element(
      "saml:SubjectConfirmation",
      { Method: BEARER },
      element("saml:SubjectConfirmationData", {
        NotOnOrAfter: dateTime(input.notOnOrAfter),
        Recipient: input.recipient,
        InResponseTo: input.inResponseTo,
      }),
    ),
  );

const conditions = (input: AssertionInput): Xml =>
  element(
    "saml:Conditions",
    { NotBefore: dateTime(input.notBefore), NotOnOrAfter: dateTime(input.notOnOrAfter) },
    element("saml:AudienceRestriction", {}, element("saml:Audience", {}, input.audience)),
  );

const authnStatement = (input: AssertionInput): Xml =>
  element(
    "saml:AuthnStatement",
    {
      AuthnInstant: dateTime(input.authnInstant),
      SessionIndex: input.sessionIndex,
      SessionNotOnOrAfter: dateTime(input.sessionNotOnOrAfter),
    },
    element("saml:AuthnContext", {}, element("saml:AuthnContextClassRef", {}, input.authnContextClassRef)),
  );

/** The schema knows no empty statement. */
function attributeStatement(attributes: readonly AttributeInput[]): Xml | undefined {
  const written = attributes
    .filter(({ values }) => values.length > 0)
    .map(({ name, friendlyName, nameFormat, type, values }) =>
      element(
        "saml:Attribute",
        { Name: name, NameFormat: nameFormat, FriendlyName: friendlyName },
        values.map((value) => element("saml:AttributeValue", { "xsi:type": `xs:${type}` }, value)),
      ),
    );
  return written.length === 0 ? undefined : element("saml:AttributeStatement", {}, written);
}

/** What AuthnRequests may ask for as ProtocolBinding: how responses are sent. */
export const RESPONSE_BINDING = bindings.post;
