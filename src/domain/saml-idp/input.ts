/** What an administrator says of a SAML application, checked. */
import { X509Certificate } from "node:crypto";
import { type FieldError, validationError } from "../../lib/errors.ts";
import { webAddressProblem } from "../../protocol/oauth/client-metadata-members.ts";
import { templateProblem } from "../templates/liquid.ts";
import type { SamlClientRequest, SamlClientValues } from "./model.ts";
import type { SamlAcs } from "./repo.ts";

/** @throws AppError 422 that names each wrong field */
export function readSamlClient(input: SamlClientRequest): SamlClientValues {
  const values = withDefaults(input);
  const problems = problemsOf(values);
  if (problems.length > 0) throw validationError(problems);
  return {
    ...values,
    encryptionCertificate: values.encryptionCertificate && pemOf(values.encryptionCertificate),
    signingCertificates: values.signingCertificates.map(pemOf),
  };
}

function withDefaults(input: SamlClientRequest): SamlClientValues {
  const signingCertificates = input.signing_certificates ?? [];
  return {
    name: input.name.trim(),
    entityId: input.entity_id,
    enabled: input.enabled ?? true,
    acsUrls: numbered(input.acs_urls),
    sloUrl: input.slo_url ?? null,
    sloBinding: input.slo_binding ?? "redirect",
    nameIdFormat: input.name_id_format ?? "persistent",
    nameIdTemplate: input.name_id_template ?? null,
    attributes: (input.attributes ?? []).map(({ name, friendly_name, name_format, type, value }) => ({
      name,
      ...(friendly_name === undefined ? {} : { friendly_name }),
      name_format: name_format ?? "basic",
      type: type ?? "string",
      value,
    })),
    signResponse: input.sign_response ?? true,
    signAssertion: input.sign_assertion ?? true,
    encryptAssertion: input.encrypt_assertion ?? false,
    encryptionCertificate: input.encryption_certificate ?? null,
    signingCertificates,
    requireSignedRequests: input.require_signed_requests ?? signingCertificates.length > 0,
    allowIdpInitiated: input.allow_idp_initiated ?? false,
    defaultRelayState: input.default_relay_state ?? null,
    sessionLifetimeSeconds: input.session_lifetime_seconds ?? null,
  };
}

/** Each has an index; the first one is the default unless one is marked. */
function numbered(acsUrls: SamlClientRequest["acs_urls"]): SamlAcs[] {
  const marked = acsUrls.some(({ is_default }) => is_default === true);
  return acsUrls.map(({ url, index, is_default }, place) => ({
    url,
    index: index ?? place,
    is_default: marked ? is_default === true : place === 0,
  }));
}

function problemsOf(values: SamlClientValues): FieldError[] {
  const problems: FieldError[] = [];
  const add = (field: string, message: string | undefined) => {
    if (message !== undefined) problems.push({ field, message });
  };
  if (values.name === "") add("name", "Must not be empty.");
  // SAML Core §8.3.6.
  if (!/^[\x21-\x7e]+$/.test(values.entityId)) add("entity_id", "Must be visible ASCII characters.");
  for (const [place, { url }] of values.acsUrls.entries()) add(`acs_urls.${place}.url`, addressProblem(url));
  add("acs_urls", acsProblem(values.acsUrls));
  if (values.sloUrl !== null) add("slo_url", addressProblem(values.sloUrl));
  if (values.sloUrl !== null && values.signingCertificates.length === 0)
    add(
      "slo_url",
      "Needs a signing certificate: what asks for a logout, or says that it is done, is signed.",
    );
  if (values.nameIdTemplate !== null) {
    if (values.nameIdFormat !== "unspecified")
      add("name_id_template", "Is for the name_id_format unspecified alone.");
    add("name_id_template", templateProblem(values.nameIdTemplate));
  }
  for (const [place, { value }] of values.attributes.entries())
    add(`attributes.${place}.value`, templateProblem(value));
  if (!values.signResponse && !values.signAssertion)
    add("sign_assertion", "The response or the assertion has to be signed.");
  for (const [place, pem] of values.signingCertificates.entries())
    add(`signing_certificates.${place}`, certificateProblem(pem, ["rsa", "ec"]));
  if (values.encryptionCertificate !== null)
    add("encryption_certificate", certificateProblem(values.encryptionCertificate, ["rsa"]));
  if (values.encryptAssertion && values.encryptionCertificate === null)
    add("encryption_certificate", "An assertion is encrypted for a certificate.");
  if (values.requireSignedRequests && values.signingCertificates.length === 0)
    add("signing_certificates", "Signed requests are verified with a certificate.");
  return problems;
}

function acsProblem(acsUrls: readonly SamlAcs[]): string | undefined {
  const distinct = (values: readonly unknown[]) => new Set(values).size === values.length;
  if (!distinct(acsUrls.map(({ url }) => url))) return "Holds an address twice.";
  if (!distinct(acsUrls.map(({ index }) => index))) return "Holds an index twice.";
  return acsUrls.filter(({ is_default }) => is_default).length > 1 ? "Has one default at most." : undefined;
}

/** A person's browser goes there, with what signs them in. */
function addressProblem(url: string): string | undefined {
  const problem = webAddressProblem(url, { loopback: true });
  return problem && `It ${problem}.`;
}

const LEAST_RSA_BITS = 2048;

/** Its dates do not count: peers put certificates into their metadata to say which key it is, and trust nothing else of them. */
function certificateProblem(pem: string, kinds: readonly string[]): string | undefined {
  const key = certificateOf(pem)?.publicKey;
  if (!key) return "Must be one X.509 certificate in PEM.";
  const weak =
    key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS;
  return weak || !kinds.includes(key.asymmetricKeyType ?? "")
    ? `Must be of a key of ${kinds.join(" or ").toUpperCase()}; an RSA key has at least ${LEAST_RSA_BITS} bits.`
    : undefined;
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return (pem.match(/-----BEGIN /g) ?? []).length === 1 ? new X509Certificate(pem) : undefined;
  } catch {
    return undefined;
  }
}

/** In one form, whatever stood around it. */
const pemOf = (pem: string) => new X509Certificate(pem).toString();
