/**
 * Enveloped XML signatures as SAML profiles them (saml-core-2.0-os §5.4, xmldsig-core §3.2). Nothing of a signature is
 * taken from anywhere but the canonical bytes of its `SignedInfo`, and what it covers is handed on as what those bytes
 * parse to: what was signed is what is read (CVE-2025-47949, CVE-2025-29774, CVE-2025-29775).
 */
import { timingSafeEqual } from "node:crypto";
import { digestBytes, type SignaturePolicy, verifyBytes } from "./algorithms.ts";
import { canonicalize } from "./canonical.ts";
import { SamlError } from "./errors.ts";
import { ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, ns } from "./names.ts";
import {
  attributeOf,
  childElements,
  childrenNamed,
  decodeBase64,
  decodeUtf8,
  elementsOf,
  isNamed,
  parseXml,
  textOf,
} from "./xml.ts";

/** Whether the element itself is signed; what is inside of it may be, apart from that. */
export const isSigned = (element: Element): boolean =>
  childrenNamed(element, ns.signature, "Signature").length > 0;

/**
 * @param element the root of its document, or below it; is taken apart on the way and of no use afterwards
 * @returns the root of what was signed: the element without its signature, parsed from the signed bytes
 * @throws SamlError
 */
export function verifySigned(element: Element, policy: SignaturePolicy): Element {
  const [signature, ...others] = childrenNamed(element, ns.signature, "Signature");
  if (!signature) throw new SamlError("unsigned", `the ${element.localName} is not signed`);
  if (others.length > 0) throw new SamlError("several_signatures", "two signatures of one element");
  const [signedInfo, signatureValue, keyInfo, ...more] = childElements(signature);
  expectNamed(signedInfo, "SignedInfo");
  expectNamed(signatureValue, "SignatureValue");
  // What it says about the key is of no interest: the key is configured.
  if (keyInfo) expectNamed(keyInfo, "KeyInfo");
  if (more.length > 0) throw new SamlError("signature_structure", "a signature with something else in it");
  const info = readSignedInfo(signedInfo);
  verifyBytes(info.canonical, { algorithm: info.algorithm, value: bytesOf(signatureValue) }, policy);
  const id = attributeOf(element, "ID");
  if (!id || info.uri !== `#${id}`)
    throw new SamlError("signature_reference", "a signature of another element than the one it stands in");
  element.removeChild(signature);
  const canonical = canonicalize(element, info.inclusivePrefixes);
  const digest = digestBytes(canonical, info.digestAlgorithm, policy.allowSha1);
  if (digest.length !== info.digest.length || !timingSafeEqual(digest, info.digest))
    throw new SamlError("digest_mismatch", "the content was changed after it was signed");
  return parseXml(decodeUtf8(canonical), canonical.length);
}

/** Signatures stand where they are looked for, and nowhere else (saml-core-2.0-os §5.4.2). @throws SamlError */
export function refuseMisplacedSignatures(root: Element, parents: readonly Element[]): void {
  const misplaced = elementsOf(root).some(
    (element) =>
      isNamed(element, ns.signature, "Signature") && !parents.some((parent) => parent === element.parentNode),
  );
  if (misplaced) throw new SamlError("misplaced_signature", "a signature where none belongs");
}

interface SignedInfo {
  readonly canonical: Buffer;
  readonly algorithm: string | undefined;
  readonly uri: string | undefined;
  readonly inclusivePrefixes: readonly string[];
  readonly digestAlgorithm: string | undefined;
  readonly digest: Buffer;
}

function readSignedInfo(element: Element): SignedInfo {
  const method = childElements(element)[0];
  expectNamed(method, "CanonicalizationMethod");
  if (attributeOf(method, "Algorithm") !== EXCLUSIVE_C14N)
    throw new SamlError("canonicalization", "SignedInfo is not in exclusive canonical form");
  const canonical = canonicalize(element, prefixesOf(method));
  // From here on nothing but what the signature covers.
  const [, signatureMethod, reference, ...more] = childElements(
    parseXml(decodeUtf8(canonical), canonical.length),
  );
  expectNamed(signatureMethod, "SignatureMethod");
  expectNamed(reference, "Reference");
  if (more.length > 0) throw new SamlError("signature_reference", "a signature of more than one thing");
  const [transforms, digestMethod, digestValue, ...rest] = childElements(reference);
  expectNamed(transforms, "Transforms");
  expectNamed(digestMethod, "DigestMethod");
  expectNamed(digestValue, "DigestValue");
  if (rest.length > 0) throw new SamlError("signature_structure", "a reference with something else in it");
  return {
    canonical,
    algorithm: attributeOf(signatureMethod, "Algorithm"),
    uri: attributeOf(reference, "URI"),
    inclusivePrefixes: readTransforms(transforms),
    digestAlgorithm: attributeOf(digestMethod, "Algorithm"),
    digest: bytesOf(digestValue),
  };
}

/** saml-core-2.0-os §5.4.4: no others than these two. @returns the prefixes that canonicalization is to keep */
function readTransforms(transforms: Element): readonly string[] {
  const [enveloped, exclusive, ...more] = childElements(transforms);
  expectNamed(enveloped, "Transform");
  const algorithms = [enveloped, exclusive].map(
    (transform) => transform && attributeOf(transform, "Algorithm"),
  );
  const asProfiled =
    algorithms[0] === ENVELOPED_SIGNATURE && algorithms[1] === EXCLUSIVE_C14N && more.length === 0;
  if (!asProfiled || childElements(enveloped).length > 0)
    throw new SamlError("signature_transform", "other transforms than enveloped-signature and exc-c14n");
  expectNamed(exclusive, "Transform");
  return prefixesOf(exclusive);
}

/** xml-exc-c14n §4: `InclusiveNamespaces`, the one parameter that there is. */
function prefixesOf(method: Element): readonly string[] {
  const [inclusive, ...more] = childElements(method);
  if (!inclusive) return [];
  if (more.length > 0 || !isNamed(inclusive, EXCLUSIVE_C14N, "InclusiveNamespaces"))
    throw new SamlError("signature_transform", "a parameter that is not known");
  return (attributeOf(inclusive, "PrefixList") ?? "").split(/\s+/).filter((prefix) => prefix !== "");
}

/** Text alone: an element inside of it would be read by one and skipped by the next. */
function bytesOf(element: Element): Buffer {
  if (childElements(element).length > 0)
    throw new SamlError("signature_structure", "an element where bytes belong");
  return decodeBase64(textOf(element));
}

function expectNamed(element: Element | undefined, localName: string): asserts element is Element {
  if (!element || !isNamed(element, ns.signature, localName))
    throw new SamlError("signature_structure", `no ${localName} where it belongs`);
}
