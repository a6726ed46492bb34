/** What each kind of connection can be configured with, and what it gets when nothing is said. */
import type { TObject } from "@sinclair/typebox";
import { ValueErrorType } from "@sinclair/typebox/errors";
import { Value } from "@sinclair/typebox/value";
import type { FieldError } from "../../lib/errors.ts";
import { webAddressProblem } from "../../protocol/oauth/client-metadata-members.ts";
import { LdapConfig, ldapDefaults, LdapSecrets } from "./kinds/ldap.ts";
import { ADDRESS } from "./kinds/members.ts";
import { Oauth2Config, oauth2Defaults, Oauth2Secrets } from "./kinds/oauth2.ts";
import { OidcConfig, oidcDefaults, OidcSecrets } from "./kinds/oidc.ts";
import { SamlConfig, samlDefaults, SamlSecrets } from "./kinds/saml.ts";
import type { Connection, ConnectionBase, ConnectionKind, Configured } from "./model.ts";

type Members = Readonly<Record<string, unknown>>;

const secretSchemas = { oidc: OidcSecrets, oauth2: Oauth2Secrets, saml: SamlSecrets, ldap: LdapSecrets };
const configSchemas = { oidc: OidcConfig, oauth2: Oauth2Config, saml: SamlConfig, ldap: LdapConfig };
/** The secrets that connections of a kind can have. */
export const secretNames = (kind: ConnectionKind): string[] => Object.keys(secretSchemas[kind].properties);

const defaults = { oidc: oidcDefaults, oauth2: oauth2Defaults, saml: samlDefaults, ldap: ldapDefaults };

/** What is said of a connection, with the defaults of its kind for the rest. */
export const withDefaults = (kind: ConnectionKind, config: Members): Members => ({
  ...defaults[kind],
  ...config,
});

/** @returns undefined when it is not the configuration of such a connection */
export function readConfig(kind: ConnectionKind, config: Members): Configured | undefined {
  switch (kind) {
    case "oidc":
      return Value.Check(OidcConfig, config) ? { kind, config } : undefined;
    case "oauth2":
      return Value.Check(Oauth2Config, config) ? { kind, config } : undefined;
    case "saml":
      return Value.Check(SamlConfig, config) ? { kind, config } : undefined;
    case "ldap":
      return Value.Check(LdapConfig, config) ? { kind, config } : undefined;
  }
}

/** Puts a connection together, of which the configuration says what kind it is. */
export function connectionOf(base: ConnectionBase, configured: Configured): Connection {
  switch (configured.kind) {
    case "oidc":
      return { ...base, ...configured };
    case "oauth2":
      return { ...base, ...configured };
    case "saml":
      return { ...base, ...configured };
    case "ldap":
      return { ...base, ...configured };
  }
}

/** Each wrong member of a configuration, with no word of its value. */
export const configProblems = (kind: ConnectionKind, config: Members): FieldError[] =>
  problemsOf(configSchemas[kind], config, "config");

/** Each wrong secret, with no word of its value. */
export const secretProblems = (kind: ConnectionKind, secrets: Members): FieldError[] =>
  problemsOf(secretSchemas[kind], secrets, "secrets");

/**
 * Names a wrong member as far as it is one of ours: what a caller called the rest is a value of theirs, which no answer
 * repeats.
 */
function problemsOf(schema: TObject, given: Members, place: string): FieldError[] {
  const problems = new Map<string, string>();
  for (const { path, type, schema: violated } of Value.Errors(schema, given)) {
    const member = path.split("/")[1] ?? "";
    const known = Object.hasOwn(schema.properties, member);
    const field = known ? `${place}.${member}` : place;
    const ours: unknown = violated["x-message"];
    const missing = type === ValueErrorType.ObjectRequiredProperty;
    if (problems.has(field)) continue;
    if (!known) problems.set(field, "Has a member that this kind of connection does not have.");
    else if (missing) problems.set(field, "Is required.");
    else problems.set(field, typeof ours === "string" ? ours : "Has a value that is none.");
  }
  for (const [member, { [ADDRESS]: isAddress }] of Object.entries(schema.properties)) {
    const value = given[member];
    const problem =
      isAddress && typeof value === "string" ? webAddressProblem(value, { loopback: true }) : undefined;
    if (problem !== undefined) problems.set(`${place}.${member}`, `It ${problem}.`);
  }
  return [...problems].map(([field, message]) => ({ field, message }));
}
