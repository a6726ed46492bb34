/** What a connection's configuration says of how its identity provider's messages are to be judged. */
import { X509Certificate } from "node:crypto";
import type { Deps } from "../../deps.ts";
import type { SignaturePolicy } from "../../protocol/saml/algorithms.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import type { ResponsePolicy } from "../../protocol/saml/response.ts";
import type { Clocks } from "../../protocol/saml/time.ts";
import { findConnection, type SamlConnection } from "../connections/service.ts";
import { FederationRefusal } from "../federation/refusals.ts";
import { keyRingOf } from "../keys/service.ts";
import type { Tenant } from "../tenants/service.ts";

const DEFAULT_SKEW_SECONDS = 60;

/** @returns undefined for a connection of another kind, or of another tenant: there is none, then */
export async function findSamlConnection(
  deps: Deps,
  tenant: Tenant,
  keyOrId: string,
): Promise<SamlConnection | undefined> {
  const connection = await findConnection(deps, tenant.id, keyOrId);
  return connection?.kind === "saml" ? connection : undefined;
}

/** @throws FederationRefusal when there is none that people may sign in through */
export async function requireSamlConnection(
  deps: Deps,
  tenant: Tenant,
  keyOrId: string,
): Promise<SamlConnection> {
  const connection = await findSamlConnection(deps, tenant, keyOrId);
  if (!connection?.enabled || !connection.allowSignIn) throw new FederationRefusal("unavailable");
  return connection;
}

export const clocksOf = (deps: Deps, { config }: SamlConnection): Clocks => ({
  now: deps.clock.now(),
  skewSeconds: config.clock_skew_seconds ?? DEFAULT_SKEW_SECONDS,
});

/**
 * Whose signatures count. That a certificate has expired does not matter, as everywhere in SAML: it carries a key, and is
 * believed because it is configured.
 * @throws SamlError when the keys come from metadata that holds no more
 */
export function signaturePolicyOf(deps: Deps, { config }: SamlConnection): SignaturePolicy {
  const until = config.metadata_valid_until;
  if (until !== undefined && new Date(until) <= deps.clock.now())
    throw new SamlError("metadata_expired", "the identity provider's metadata is over and was not renewed");
  return {
    keys: config.certificates.map((pem) => new X509Certificate(pem).publicKey),
    allowSha1: config.allow_sha1 ?? false,
  };
}

/** @throws SamlError */
export async function responsePolicyOf(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
): Promise<ResponsePolicy> {
  const { config } = connection;
  const { decryptionKeys } = await keyRingOf(deps, tenant.id);
  return {
    signatures: signaturePolicyOf(deps, connection),
    decryption: { keys: decryptionKeys, allowCbc: config.allow_aes_cbc ?? false },
    requireResponseSigned: config.want_response_signed,
    requireEncryption: config.want_assertions_encrypted,
  };
}
