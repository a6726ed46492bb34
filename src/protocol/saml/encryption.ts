/**
 * Encrypted assertions (saml-core-2.0-os §2.3.4, xmlenc-core1). The key is wrapped by RSA-OAEP and the content sealed by
 * AES-GCM. RSA 1.5 is never opened: it answers questions about any ciphertext of the key (xmlenc-core1 §6.1.2). AES-CBC,
 * which can be changed unseen (§6.1.1), is for identity providers that have nothing else.
 */
import { createDecipheriv, type KeyObject } from "node:crypto";
import { canonicalize } from "./canonical.ts";
import { SamlError } from "./errors.ts";
import { xmlEncryption } from "./libraries.ts";
import { ns } from "./names.ts";
import {
  attributeOf,
  childElements,
  childrenNamed,
  decodeBase64,
  decodeUtf8,
  elementsOf,
  isNamed,
  textOf,
} from "./xml.ts";

export interface DecryptionPolicy {
  /** Ours, the newest first: an identity provider may still use a former one. */
  readonly keys: readonly KeyObject[];
  readonly allowCbc: boolean;
}

interface ContentAlgorithm {
  readonly cipher: "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" | "aes-128-cbc" | "aes-256-cbc";
  readonly keyBytes: number;
}

const contentAlgorithms: ReadonlyMap<string, ContentAlgorithm> = new Map([
  [`${ns.encryption11}aes128-gcm`, { cipher: "aes-128-gcm", keyBytes: 16 }],
  [`${ns.encryption11}aes192-gcm`, { cipher: "aes-192-gcm", keyBytes: 24 }],
  [`${ns.encryption11}aes256-gcm`, { cipher: "aes-256-gcm", keyBytes: 32 }],
  [`${ns.encryption}aes128-cbc`, { cipher: "aes-128-cbc", keyBytes: 16 }],
  [`${ns.encryption}aes256-cbc`, { cipher: "aes-256-cbc", keyBytes: 32 }],
]);

const keyAlgorithms: readonly string[] = [`${ns.encryption}rsa-oaep-mgf1p`, `${ns.encryption11}rsa-oaep`];

/**
 * @param encrypted an `EncryptedAssertion`
 * @returns the text of the assertion: of whom it is, its signature has to tell
 * @throws SamlError
 */
export function decryptAssertion(encrypted: Element, { keys, allowCbc }: DecryptionPolicy): string {
  const data = childrenNamed(encrypted, ns.encryption, "EncryptedData")[0];
  // Inside of the data, or beside it (saml-core-2.0-os §2.3.4); one, or there would be a choice of what is read.
  const wrapped = elementsOf(encrypted).filter((element) => isNamed(element, ns.encryption, "EncryptedKey"));
  const key = wrapped[0];
  const known = childElements(encrypted).every((child) => child === data || child === key);
  if (!data || !key || wrapped.length > 1 || !known)
    throw new SamlError("encryption_structure", "not one EncryptedData with one EncryptedKey");
  const algorithm = contentAlgorithms.get(methodOf(data) ?? "");
  if (!algorithm || (algorithm.cipher.endsWith("cbc") && !allowCbc))
    throw new SamlError("encryption_algorithm", "content that is encrypted in a way that is not accepted");
  if (!keyAlgorithms.includes(methodOf(key) ?? ""))
    throw new SamlError("encryption_algorithm", "a key that is wrapped in a way that is not accepted");
  const content = cipherValueOf(data);
  for (const privateKey of keys) {
    const secret = unwrap(key, privateKey);
    const plain = secret?.length === algorithm.keyBytes ? open(content, secret, algorithm) : undefined;
    if (plain) return decodeUtf8(plain);
  }
  throw new SamlError("decryption", "no key of ours opens it");
}

function unwrap(encryptedKey: Element, privateKey: KeyObject): Buffer | undefined {
  try {
    // By itself: the library looks for the first of its kind, wherever it is. RSA 1.5 it refuses as well.
    const key = canonicalize(encryptedKey).toString();
    return xmlEncryption().decryptKeyInfo(`<KeyInfo>${key}</KeyInfo>`, {
      key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    });
  } catch {
    return undefined;
  }
}

const GCM_IV_BYTES = 12;
const GCM_TAG_BYTES = 16;
const CBC_BLOCK_BYTES = 16;

/** xmlenc-core1 §5.2.4: the initialization vector, the content, the tag. */
function open(content: Buffer, secret: Buffer, { cipher }: ContentAlgorithm): Buffer | undefined {
  try {
    if (cipher === "aes-128-cbc" || cipher === "aes-256-cbc") return openCbc(content, secret, cipher);
    if (content.length < GCM_IV_BYTES + GCM_TAG_BYTES) return undefined;
    const decipher = createDecipheriv(cipher, secret, content.subarray(0, GCM_IV_BYTES), {
      authTagLength: GCM_TAG_BYTES,
    });
    decipher.setAuthTag(content.subarray(-GCM_TAG_BYTES));
    const sealed = content.subarray(GCM_IV_BYTES, -GCM_TAG_BYTES);
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** xmlenc-core1 §5.2.3: the last byte says how many there are too many; the others of them are anything. */
function openCbc(content: Buffer, secret: Buffer, cipher: "aes-128-cbc" | "aes-256-cbc"): Buffer | undefined {
  const decipher = createDecipheriv(cipher, secret, content.subarray(0, CBC_BLOCK_BYTES)).setAutoPadding(
    false,
  );
  const padded = Buffer.concat([decipher.update(content.subarray(CBC_BLOCK_BYTES)), decipher.final()]);
  const padding = padded.at(-1) ?? 0;
  return padding >= 1 && padding <= CBC_BLOCK_BYTES ? padded.subarray(0, -padding) : undefined;
}

function methodOf(element: Element): string | undefined {
  const [method, ...more] = childrenNamed(element, ns.encryption, "EncryptionMethod");
  return method && more.length === 0 ? attributeOf(method, "Algorithm") : undefined;
}

/** By value: a reference would have us fetch it. */
function cipherValueOf(element: Element): Buffer {
  const data = childrenNamed(element, ns.encryption, "CipherData")[0];
  const [value, ...more] = data ? childElements(data) : [];
  if (!value || more.length > 0 || !isNamed(value, ns.encryption, "CipherValue"))
    throw new SamlError("encryption_structure", "no CipherValue");
  return decodeBase64(textOf(value));
}
