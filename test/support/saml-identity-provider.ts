/**
 * A SAML identity provider for tests, written without any of the code that it tests: messages are text, and `xml-crypto` and
 * `xml-encryption` sign and encrypt them.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { SignedXml } from "xml-crypto";
import { encrypt } from "xml-encryption";
import { selfSignedCertificate } from "../../src/domain/keys/certificate.ts";

export interface Credentials {
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

/** An RSA key with a certificate, as an identity provider has one. */
export async function newCredentials(name = "idp"): Promise<Credentials> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const der = await selfSignedCertificate({
    pkcs8,
    name,
    serial: randomBytes(16).toString("hex").replace(/^./, "1"),
    notBefore: new Date("2020-01-01T00:00:00Z"),
    notAfter: new Date("2040-01-01T00:00:00Z"),
  });
  return {
    privateKey: createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }),
    certificate: pem(der),
  };
}

const pem = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;

/** What a response says. All of it can be wrong. */
export interface ResponseParts {
  readonly now: Date;
  readonly issuer: string;
  readonly audience: string;
  readonly acsUrl: string;
  readonly inResponseTo?: string | undefined;
  readonly responseId: string;
  readonly assertionId: string;
  readonly nameId: string;
  readonly nameIdFormat: string;
  readonly sessionIndex: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  readonly status: string;
  readonly destination: string;
  readonly recipient: string;
  /** Any part of the assertion, in other words. */
  readonly conditions?: string;
  readonly subjectConfirmation?: string;
  readonly authnStatement?: string;
  readonly authnContext: string;
}

export const newId = () => `_${randomBytes(16).toString("hex")}`;

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString();

/** A right response to a request, of which a test changes what it is about. */
export function partsFor(
  to: Pick<ResponseParts, "now" | "issuer" | "audience" | "acsUrl"> & Partial<ResponseParts>,
): ResponseParts {
  return {
    responseId: newId(),
    assertionId: newId(),
    nameId: "ada@example.com",
    nameIdFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    sessionIndex: newId(),
    attributes: { email: ["ada@example.com"], givenName: ["Ada"], groups: ["staff", "engineers"] },
    status: "urn:oasis:names:tc:SAML:2.0:status:Success",
    destination: to.acsUrl,
    recipient: to.acsUrl,
    authnContext: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    ...to,
  };
}

export const NAMESPACES =
  'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"';

export function assertionXml(parts: ResponseParts): string {
  const { now, inResponseTo } = parts;
  const answers = inResponseTo === undefined ? "" : ` InResponseTo="${inResponseTo}"`;
  const attributes = Object.entries(parts.attributes).map(
    ([name, values]) =>
      `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join("")}</saml:Attribute>`,
  );
  const confirmation =
    parts.subjectConfirmation ??
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${later(now, 300)}" Recipient="${parts.recipient}"${answers}/></saml:SubjectConfirmation>`;
  const conditions =
    parts.conditions ??
    `<saml:Conditions NotBefore="${later(now, -60)}" NotOnOrAfter="${later(now, 300)}"><saml:AudienceRestriction><saml:Audience>${parts.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`;
  const statement =
    parts.authnStatement ??
    `<saml:AuthnStatement AuthnInstant="${now.toISOString()}" SessionIndex="${parts.sessionIndex}"><saml:AuthnContext><saml:AuthnContextClassRef>${parts.authnContext}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
  return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${parts.assertionId}" Version="2.0" IssueInstant="${now.toISOString()}"><saml:Issuer>${parts.issuer}</saml:Issuer><saml:Subject><saml:NameID Format="${parts.nameIdFormat}">${parts.nameId}</saml:NameID>${confirmation}</saml:Subject>${conditions}${statement}<saml:AttributeStatement>${attributes.join("")}</saml:AttributeStatement></saml:Assertion>`;
}

/** @param content the assertion, signed or encrypted or neither */
export function responseXml(parts: ResponseParts, content: string): string {
  const answers = parts.inResponseTo === undefined ? "" : ` InResponseTo="${parts.inResponseTo}"`;
  return `<samlp:Response ${NAMESPACES} ID="${parts.responseId}" Version="2.0" IssueInstant="${parts.now.toISOString()}" Destination="${parts.destination}"${answers}><saml:Issuer>${parts.issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${parts.status}"/></samlp:Status>${content}</samlp:Response>`;
}

export interface SigningOptions {
  readonly signatureAlgorithm?: string;
  readonly digestAlgorithm?: string;
  readonly canonicalizationAlgorithm?: string;
  readonly transforms?: readonly string[];
  readonly hmacKey?: string;
  readonly isEmptyUri?: boolean;
}

export const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
export const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
export const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/** A real enveloped signature over the element of this local name, after its issuer. */
export function signXml(
  xml: string,
  of: string,
  { privateKey, certificate }: Credentials,
  options: SigningOptions = {},
): string {
  const signer = new SignedXml({
    privateKey: options.hmacKey ?? privateKey,
    publicCert: certificate,
    signatureAlgorithm: options.signatureAlgorithm ?? RSA_SHA256,
    canonicalizationAlgorithm: options.canonicalizationAlgorithm ?? EXCLUSIVE,
  });
  if (options.hmacKey !== undefined) signer.enableHMAC();
  const element = `//*[local-name(.)='${of}']`;
  signer.addReference({
    xpath: element,
    digestAlgorithm: options.digestAlgorithm ?? "http://www.w3.org/2001/04/xmlenc#sha256",
    transforms: [...(options.transforms ?? [ENVELOPED, EXCLUSIVE])],
    ...(options.isEmptyUri ? { isEmptyUri: true } : {}),
  });
  const location = { reference: `${element}/*[local-name(.)='Issuer']`, action: "after" as const };
  signer.computeSignature(xml, { prefix: "ds", location });
  return signer.getSignedXml();
}

export type Signed = "response" | "assertion" | "both";

/** A response as an identity provider sends it. */
export function signedResponse(
  parts: ResponseParts,
  signed: Signed,
  credentials: Credentials,
  options: SigningOptions = {},
): string {
  const assertion =
    signed === "response"
      ? assertionXml(parts)
      : signXml(assertionXml(parts), "Assertion", credentials, options);
  const response = responseXml(parts, assertion);
  return signed === "assertion" ? response : signXml(response, "Response", credentials, options);
}

/** An assertion that only the owner of this certificate can open. */
export function encryptedAssertion(
  assertion: string,
  certificate: string,
  options: { content?: string; key?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    encrypt(
      assertion,
      {
        // Both are read as PEM of a key or a certificate.
        rsa_pub: certificate,
        pem: certificate,
        encryptionAlgorithm: contentAlgorithm(options.content),
        keyEncryptionAlgorithm: keyAlgorithm(options.key),
        disallowEncryptionWithInsecureAlgorithm: false,
        warnInsecureAlgorithm: false,
      },
      (error: Error | null, result?: string) =>
        result === undefined
          ? reject(error ?? new Error("nothing encrypted"))
          : resolve(`<saml:EncryptedAssertion>${result}</saml:EncryptedAssertion>`),
    );
  });
}

function contentAlgorithm(name = "gcm") {
  return name === "cbc"
    ? ("http://www.w3.org/2001/04/xmlenc#aes256-cbc" as const)
    : ("http://www.w3.org/2009/xmlenc11#aes256-gcm" as const);
}

function keyAlgorithm(name = "oaep") {
  return name === "rsa15"
    ? ("http://www.w3.org/2001/04/xmlenc#rsa-1_5" as const)
    : ("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" as const);
}

/** What an AuthnRequest or a LogoutRequest of ours says, as far as tests look. */
export function readSent(location: string): { id: string; relayState: string; xml: string } {
  const { searchParams } = new URL(location);
  const packed = searchParams.get("SAMLRequest") ?? searchParams.get("SAMLResponse") ?? "";
  const xml = inflateRawSync(Buffer.from(packed, "base64")).toString();
  return { id: / ID="([^"]+)"/.exec(xml)?.[1] ?? "", relayState: searchParams.get("RelayState") ?? "", xml };
}

/** The query of the redirect binding, signed (SAML Bindings §3.4.4.1). */
export function redirectQuery(
  parameter: "SAMLRequest" | "SAMLResponse",
  xml: string,
  relayState: string | undefined,
  credentials: Credentials | undefined,
  algorithm = RSA_SHA256,
): string {
  const parts = [
    `${parameter}=${encodeURIComponent(deflateRawSync(xml).toString("base64"))}`,
    ...(relayState === undefined ? [] : [`RelayState=${encodeURIComponent(relayState)}`]),
    ...(credentials ? [`SigAlg=${encodeURIComponent(algorithm)}`] : []),
  ].join("&");
  if (!credentials) return parts;
  const signature = sign("sha256", Buffer.from(parts), credentials.privateKey).toString("base64");
  return `${parts}&Signature=${encodeURIComponent(signature)}`;
}

export interface LogoutParts {
  readonly now: Date;
  readonly issuer: string;
  readonly destination: string;
  readonly nameId: string;
  readonly sessionIndex?: string | undefined;
  readonly id?: string;
}

export function logoutRequestXml(parts: LogoutParts): string {
  const index =
    parts.sessionIndex === undefined ? "" : `<samlp:SessionIndex>${parts.sessionIndex}</samlp:SessionIndex>`;
  return `<samlp:LogoutRequest ${NAMESPACES} ID="${parts.id ?? newId()}" Version="2.0" IssueInstant="${parts.now.toISOString()}" Destination="${parts.destination}"><saml:Issuer>${parts.issuer}</saml:Issuer><saml:NameID>${parts.nameId}</saml:NameID>${index}</samlp:LogoutRequest>`;
}

export function logoutResponseXml(
  parts: Omit<LogoutParts, "nameId" | "sessionIndex"> & { inResponseTo: string },
): string {
  return `<samlp:LogoutResponse ${NAMESPACES} ID="${newId()}" Version="2.0" IssueInstant="${parts.now.toISOString()}" Destination="${parts.destination}" InResponseTo="${parts.inResponseTo}"><saml:Issuer>${parts.issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>`;
}

export const toBase64 = (xml: string) => Buffer.from(xml).toString("base64");
export const digestOf = (text: string) => createHash("sha256").update(text).digest("base64");
