/** Rehearsing a connection: all that needs nobody to sign in. Changes nothing, here and there. */
import type { Deps } from "../../../deps.ts";
import { addressesOf } from "../addresses.ts";
import { configurationProblems } from "../rules.ts";
import { type Connection, connectionSecrets } from "../service.ts";
import { failed, type Finding, ok, warning } from "./findings.ts";
import { probeLdap } from "./ldap.ts";
import { probeOauth2, probeOpenid } from "./openid.ts";
import { probeSaml } from "./saml.ts";

export type { Finding } from "./findings.ts";

/** @param issuer the tenant's @throws MasterKeyError */
export async function probeConnection(
  deps: Deps,
  connection: Connection,
  issuer: string,
): Promise<Finding[]> {
  return [
    ...(await aboutItself(deps, connection)),
    ...toRegister(connection, issuer),
    ...(await aboutPeer(deps, connection)),
  ];
}

async function aboutItself(deps: Deps, connection: Connection): Promise<Finding[]> {
  const secrets = await connectionSecrets(deps, connection);
  const plainLdap = deps.config.env !== "production";
  const problems = configurationProblems(connection, secrets, { enabled: true, plainLdap });
  const findings = problems.map(({ field, message }) => failed("configuration", `${field}: ${message}`));
  if (findings.length === 0) findings.push(ok("configuration", "It is complete."));
  if (!connection.enabled) findings.push(warning("enabled", "It is switched off: nobody signs in by it."));
  return findings;
}

/** What we cannot see: whether the other side knows our address. */
function toRegister(connection: Connection, issuer: string): Finding[] {
  const { redirectUri, acsUrl, entityId } = addressesOf(connection, issuer);
  if (redirectUri !== undefined) return [ok("redirect_uri", `To be registered there: ${redirectUri}`)];
  if (acsUrl !== undefined)
    return [ok("acs_url", `To be registered there: ${acsUrl}, of the entityID ${entityId}`)];
  return [];
}

function aboutPeer(deps: Deps, connection: Connection): Promise<Finding[]> {
  switch (connection.kind) {
    case "oidc":
      return probeOpenid(deps, connection);
    case "oauth2":
      return probeOauth2(deps, connection);
    case "saml":
      return probeSaml(deps, connection);
    case "ldap":
      return probeLdap(deps, connection);
  }
}
