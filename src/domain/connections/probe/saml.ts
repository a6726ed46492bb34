import { X509Certificate } from "node:crypto";
import type { Deps } from "../../../deps.ts";
import { readIdpMetadata } from "../../../protocol/saml/idp-metadata.ts";
import type { SamlConnection } from "../model.ts";
import { failed, fetchDocument, type Finding, ok, UNREACHABLE, warning } from "./findings.ts";

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** Its certificates, and its metadata where it publishes some. */
export async function probeSaml(deps: Deps, { config }: SamlConnection): Promise<Finding[]> {
  const now = deps.clock.now();
  const findings = config.certificates.map((pem) => aboutCertificate(pem, now));
  if (config.metadata_url === undefined) return findings;
  const document = await fetchDocument(deps, config.metadata_url, "application/samlmetadata+xml, */*");
  return [...findings, ...aboutMetadata(document, config, now)];
}

function aboutCertificate(pem: string, now: Date): Finding {
  const { validToDate: until, validFromDate: from } = new X509Certificate(pem);
  const day = until.toISOString().slice(0, 10);
  const leftDays = (until.getTime() - now.getTime()) / DAY_MS;
  if (leftDays < 0) return failed("certificate", `It expired on ${day}.`);
  if (from > now) return failed("certificate", "It is not valid yet.");
  if (leftDays < SOON_DAYS) return warning("certificate", `It expires on ${day}.`);
  return ok("certificate", `It is valid until ${day}.`);
}

function aboutMetadata(document: string | undefined, config: SamlConnection["config"], now: Date): Finding[] {
  if (document === undefined) return [failed("metadata", UNREACHABLE)];
  try {
    const { certificates } = readIdpMetadata(document, config.idp_entity_id, now);
    const known = certificates.filter((pem) => config.certificates.some((own) => sameCertificate(pem, own)));
    return [
      ok("metadata", "It was read, and is of the entityID of this connection."),
      known.length > 0
        ? ok("metadata_certificates", `${known.length} of its ${certificates.length} are known here.`)
        : warning(
            "metadata_certificates",
            "None of them is known here: they are taken over by the schedule.",
          ),
    ];
  } catch (err) {
    return [
      failed(
        "metadata",
        err instanceof Error ? "It is no valid metadata of the entityID of this connection." : UNREACHABLE,
      ),
    ];
  }
}

const sameCertificate = (one: string, other: string) =>
  new X509Certificate(one).fingerprint256 === new X509Certificate(other).fingerprint256;
