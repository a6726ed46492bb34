/** What is wrong with the configuration of a connection beyond the form of its members. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { FieldError } from "../../lib/errors.ts";
import { isDistinguishedName } from "../../protocol/ldap/distinguished-name.ts";
import { isPublicMailDomain } from "./domains.ts";
import type { LdapConfig } from "./kinds/ldap.ts";
import type { OidcConfig } from "./kinds/oidc.ts";
import type { Configured, EmailTrust } from "./model.ts";

type Secrets = Readonly<Record<string, string>>;

/** @param plainLdap whether passwords may travel in the clear: on a developer's machine */
export function configurationProblems(
  configured: Configured,
  secrets: Secrets,
  { enabled, plainLdap }: { enabled: boolean; plainLdap: boolean },
): FieldError[] {
  const found: FieldError[] = [];
  const add = (field: string, wrong: boolean, message: string) => {
    if (wrong) found.push({ field, message });
  };
  const needs = (name: string) =>
    add(`secrets.${name}`, enabled && secrets[name] === undefined, "Is required while it is enabled.");
  switch (configured.kind) {
    case "oidc":
      oidcProblems(configured.config, secrets, add, needs);
      break;
    case "oauth2":
      if (configured.config.token_endpoint_auth_method !== "none") needs("client_secret");
      break;
    case "saml":
      add(
        "config.certificates",
        !configured.config.certificates.every(isCertificate),
        "Must be certificates.",
      );
      break;
    case "ldap":
      ldapProblems(configured.config, plainLdap, add);
      needs("bind_password");
  }
  return found;
}

type Add = (field: string, wrong: boolean, message: string) => void;

function oidcProblems(config: OidcConfig, secrets: Secrets, add: Add, needs: (name: string) => void): void {
  for (const endpoint of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const) {
    const missing = !config.discovery && config[endpoint] === undefined;
    add(`config.${endpoint}`, missing, "Is required without discovery.");
  }
  add("config.issuer", /[?#]/.test(config.issuer), "An issuer has neither a query nor a fragment.");
  add("config.scopes", !config.scopes.includes("openid"), "openid has to be among them.");
  const apple = config.team_id !== undefined;
  add("config.key_id", apple && config.key_id === undefined, "Is required with team_id.");
  const method = config.token_endpoint_auth_method;
  add(
    "config.token_endpoint_auth_method",
    apple && method !== "client_secret_post",
    "Must be client_secret_post with team_id: the signed secret is sent in the body.",
  );
  if (apple || method === "private_key_jwt") needs("private_key");
  else if (method !== "none") needs("client_secret");
  const { private_key: key } = secrets;
  if (key !== undefined)
    add(
      "secrets.private_key",
      !isPrivateKey(key, { apple }),
      "Must be a private key, PKCS #8 in PEM; for Apple one of P-256.",
    );
}

function ldapProblems(config: LdapConfig, plainLdap: boolean, add: Add): void {
  const secure = config.url.startsWith("ldaps:");
  add("config.start_tls", secure && config.start_tls, "ldaps is secure already.");
  add("config.url", !secure && !config.start_tls && !plainLdap, "Must be ldaps, or use start_tls.");
  add("config.url", !URL.canParse(config.url), "Must be an ldaps or ldap URL.");
  for (const name of ["bind_dn", "base_dn", "group_base_dn"] as const) {
    const dn = config[name];
    add(`config.${name}`, dn !== undefined && !isDistinguishedName(dn), "Must be a distinguished name.");
  }
  const searched = config.group_base_dn !== undefined;
  add(
    "config.group_filter",
    searched !== (config.group_filter !== undefined),
    "Goes together with group_base_dn.",
  );
  const ca = config.ca_certificate;
  add("config.ca_certificate", ca !== undefined && !isCertificate(ca), "Must be a certificate.");
}

/**
 * Who trusts what a connection says of its own domains has to say which those are; and an address that anybody can get
 * is no company's own.
 */
export function domainProblems(trust: EmailTrust, domains: readonly string[]): FieldError[] {
  if (trust !== "own_domains") return [];
  if (domains.length === 0)
    return [{ field: "domains", message: "At least one is needed with trust_emails own_domains." }];
  return domains.some(isPublicMailDomain)
    ? [{ field: "domains", message: "Holds one where anybody gets an address, which is nobody's own." }]
    : [];
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function isPrivateKey(pem: string, { apple }: { apple: boolean }): boolean {
  try {
    const { asymmetricKeyDetails } = createPrivateKey(pem);
    return !apple || asymmetricKeyDetails?.namedCurve === "prime256v1";
  } catch {
    return false;
  }
}
