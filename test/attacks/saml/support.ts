/** Messages of a trusted identity provider, and what is made of them. */
import { sign, X509Certificate } from "node:crypto";
import { DOMParser } from "@xmldom/xmldom";
import { ExclusiveCanonicalization } from "xml-crypto";
import { SamlError, type SamlRefusal } from "../../../src/protocol/saml/errors.ts";
import {
  readResponse,
  type ResponseExpectation,
  type ResponsePolicy,
  type SamlAnswer,
  verifyResponse,
} from "../../../src/protocol/saml/response.ts";
import {
  assertionXml,
  digestOf,
  ENVELOPED,
  EXCLUSIVE,
  newCredentials,
  partsFor,
  type ResponseParts,
  responseXml,
  RSA_SHA256,
  type Signed,
  signedResponse,
  type SigningOptions,
} from "../../support/saml-identity-provider.ts";

export const now = new Date("2026-03-01T12:00:00.000Z");
export const trusted = await newCredentials("trusted");
export const stranger = await newCredentials("stranger");
/** Ours: what assertions are encrypted for. */
export const own = await newCredentials("gatewright");

export const expected: ResponseExpectation = {
  now,
  skewSeconds: 60,
  issuer: "https://idp.example/metadata",
  audience: "https://sp.example/metadata",
  acsUrl: "https://sp.example/acs",
};

export const parts = (changes: Partial<ResponseParts> = {}): ResponseParts =>
  partsFor({ ...expected, inResponseTo: "_request", ...changes });

export const genuine = (
  signed: Signed,
  changes: Partial<ResponseParts> = {},
  options: SigningOptions = {},
): string => signedResponse(parts(changes), signed, trusted, options);

export const policy: ResponsePolicy = {
  signatures: { keys: [new X509Certificate(trusted.certificate).publicKey], allowSha1: false },
  decryption: { keys: [own.privateKey], allowCbc: false },
  requireResponseSigned: false,
  requireEncryption: false,
};

export function judge(
  xml: string,
  changes: { policy?: Partial<ResponsePolicy>; expected?: Partial<ResponseExpectation> } = {},
): SamlAnswer {
  const verified = verifyResponse(xml, { ...policy, ...changes.policy });
  return readResponse(verified, { ...expected, ...changes.expected });
}

/** Why it is refused; "accepted" and whom it says, when it is not. */
export function refusal(...message: Parameters<typeof judge>): SamlRefusal | `accepted: ${string}` {
  try {
    return `accepted: ${judge(...message).nameId.value}`;
  } catch (error) {
    if (error instanceof SamlError) return error.reason;
    throw error;
  }
}

/** The text with exactly one piece replaced. @throws Error when it is not there exactly once */
export function replaced(xml: string, piece: string | RegExp, by: string): string {
  const found = xml.split(piece).length - 1;
  const result = xml.replace(piece, () => by);
  if (result === xml || (typeof piece === "string" && found !== 1))
    throw new Error(`${String(piece)} is there ${found} times`);
  return result;
}

/** The part of a text between the start and the end of an element, both included. */
export function elementText(xml: string, name: string): string {
  const start = xml.indexOf(`<${name}`);
  const end = xml.lastIndexOf(`</${name}>`) + name.length + 3;
  if (start === -1 || end < start) throw new Error(`no ${name}`);
  return xml.slice(start, end);
}

const DS = "http://www.w3.org/2000/09/xmldsig#";

/** What a SignedInfo says that nothing but this test writes. */
export interface HandSigned {
  readonly canonicalization?: string;
  readonly algorithm?: string;
  readonly transforms?: string;
  readonly digest?: string;
  /** The references, where there is to be something else than one. */
  readonly references?: (reference: string) => string;
  readonly uri?: string;
  readonly sign?: (bytes: Buffer) => Buffer;
  /** Between the signature's parts. */
  readonly signature?: (signedInfo: string, value: string) => string;
}

export const PROFILED_TRANSFORMS = `<ds:Transform Algorithm="${ENVELOPED}"></ds:Transform><ds:Transform Algorithm="${EXCLUSIVE}"></ds:Transform>`;

/** A response whose signature holds, over a SignedInfo of any shape: what only a trusted key could be made to sign. */
export function handSigned(options: HandSigned = {}): string {
  const bare = responseXml(parts(), assertionXml(parts()));
  const canonical = new ExclusiveCanonicalization().process(
    new DOMParser().parseFromString(bare, "text/xml").documentElement,
    {},
  );
  const id = / ID="([^"]+)"/.exec(bare)?.[1] ?? "";
  const digest = options.digest ?? digestOf(canonical);
  const reference = `<ds:Reference URI="${options.uri ?? `#${id}`}"><ds:Transforms>${options.transforms ?? PROFILED_TRANSFORMS}</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`;
  const content = `<ds:CanonicalizationMethod Algorithm="${options.canonicalization ?? EXCLUSIVE}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${options.algorithm ?? RSA_SHA256}"></ds:SignatureMethod>${options.references?.(reference) ?? reference}`;
  const bytes = Buffer.from(`<ds:SignedInfo xmlns:ds="${DS}">${content}</ds:SignedInfo>`);
  const value = (options.sign ?? ((data) => sign("sha256", data, trusted.privateKey)))(bytes).toString(
    "base64",
  );
  const signedInfo = `<ds:SignedInfo>${content}</ds:SignedInfo>`;
  const signatureValue = `<ds:SignatureValue>${value}</ds:SignatureValue>`;
  const inner = options.signature?.(signedInfo, signatureValue) ?? signedInfo + signatureValue;
  return bare.replace(
    "</saml:Issuer>",
    () => `</saml:Issuer><ds:Signature xmlns:ds="${DS}">${inner}</ds:Signature>`,
  );
}
