/** Upstream identity sources (social providers, OpenID providers, SAML identity providers, directories). */
import type { Id } from "../../lib/ids.ts";
import type { LdapConfig, LdapSecrets } from "./kinds/ldap.ts";
import type { Oauth2Config, Oauth2Secrets } from "./kinds/oauth2.ts";
import type { OidcConfig, OidcSecrets } from "./kinds/oidc.ts";
import type { SamlConfig, SamlSecrets } from "./kinds/saml.ts";

export const connectionKinds = ["oidc", "oauth2", "saml", "ldap"] as const;
export type ConnectionKind = (typeof connectionKinds)[number];

/** When an account that has the same verified address is linked at the first sign-in. */
export const linkPolicies = ["verified_email", "never"] as const;
export type LinkPolicy = (typeof linkPolicies)[number];

/**
 * Whether addresses that a connection vouches for count as verified: never; those of the connection's own domains; or
 * whenever it says `email_verified`.
 */
export const emailTrusts = ["never", "own_domains", "if_verified"] as const;
export type EmailTrust = (typeof emailTrusts)[number];

/**
 * What an identity can be made of. `subject` is what a connection knows somebody by, `external_id` what its directory
 * provisions them by over SCIM.
 */
export const mappedAttributes = [
  "subject",
  "email",
  "email_verified",
  "username",
  "given_name",
  "family_name",
  "picture",
  "locale",
  "groups",
  "external_id",
] as const;
export type MappedAttribute = (typeof mappedAttributes)[number];

/** What all kinds have. */
export interface ConnectionBase {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"connection">;
  /** Whose people sign in through it; null: anybody of the tenant. */
  readonly organizationId: Id<"organization"> | null;
  /** What it was made from, such as "google"; null: made by hand. */
  readonly preset: string | null;
  /** Its name in addresses: `/oauth/social/{key}`. */
  readonly key: string;
  /** Its name for people. */
  readonly name: string;
  readonly enabled: boolean;
  readonly allowSignIn: boolean;
  readonly allowSignUp: boolean;
  /** Whether `ada+anything@example.com` may not sign up. */
  readonly blockEmailSubaddresses: boolean;
  /** When an account that has the same verified address is linked at the first sign-in. */
  readonly linkPolicy: LinkPolicy;
  readonly trustEmails: EmailTrust;
  /** Whether a second factor that was proved there (`amr`) counts here. */
  readonly trustUpstreamMfa: boolean;
  /** Name of the role of those who sign up through it; null: none. */
  readonly defaultRole: string | null;
  /** Our attribute -> a Liquid template over what it says of somebody. */
  readonly attributeMapping: Readonly<Partial<Record<MappedAttribute, string>>>;
  /** Domains of email addresses whose people are sent there; lower case, in ASCII. */
  readonly domains: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface ConfigOf {
  oidc: OidcConfig;
  oauth2: Oauth2Config;
  saml: SamlConfig;
  ldap: LdapConfig;
}

export interface SecretsOf {
  oidc: OidcSecrets;
  oauth2: Oauth2Secrets;
  saml: SamlSecrets;
  ldap: LdapSecrets;
}

/** A kind with its configuration, which tells the kinds apart. */
export type Configured = {
  [K in ConnectionKind]: { readonly kind: K; readonly config: ConfigOf[K] };
}[ConnectionKind];

/** A connection of one kind, with that kind's configuration. */
export type ConnectionOf<Kind extends ConnectionKind> = {
  [K in Kind]: ConnectionBase & { readonly kind: K; readonly config: ConfigOf[K] };
}[Kind];

export type Connection = ConnectionOf<ConnectionKind>;
export type OidcConnection = ConnectionOf<"oidc">;
export type Oauth2Connection = ConnectionOf<"oauth2">;
export type SamlConnection = ConnectionOf<"saml">;
export type LdapConnection = ConnectionOf<"ldap">;
