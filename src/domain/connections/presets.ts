/**
 * Providers that many people have an account with, as each documents itself: one row each. A connection is made from a
 * row and keeps its own copy, so that a later row changes nobody's sign-in.
 */
import type { Oauth2Config } from "./kinds/oauth2.ts";
import type { OidcConfig } from "./kinds/oidc.ts";
import type { EmailTrust, MappedAttribute } from "./model.ts";

interface PresetBase {
  /** For people. */
  readonly name: string;
  readonly trustEmails: EmailTrust;
  readonly attributeMapping: Readonly<Partial<Record<MappedAttribute, string>>>;
  /** What has to be said beside the client_id, as members of the configuration. */
  readonly required?: readonly string[];
  /** The secrets that it cannot work without. */
  readonly secrets: readonly string[];
}

export type Preset = PresetBase &
  (
    | { readonly kind: "oidc"; readonly config: Omit<OidcConfig, "client_id"> }
    | { readonly kind: "oauth2"; readonly config: Omit<Oauth2Config, "client_id"> }
  );

const OIDC = {
  token_endpoint_auth_method: "client_secret_post",
  discovery: true,
  fetch_userinfo: false,
  pkce: true,
  nonce: true,
  scopes: ["openid", "profile", "email"],
} satisfies Partial<OidcConfig>;

const ownApi = {
  token_endpoint_auth_method: "client_secret_post",
  userinfo_method: "GET",
  userinfo_auth: "header",
  pkce: true,
} as const satisfies Partial<Oauth2Config>;

export const presets = {
  google: {
    name: "Google",
    kind: "oidc",
    config: { ...OIDC, issuer: "https://accounts.google.com" },
    trustEmails: "if_verified",
    attributeMapping: {
      // Google is the authority for its own addresses and for Workspace's (`hd`). Others it verified once, perhaps years
      // ago, and whose they are now it does not know.
      email_verified:
        "{% assign tail = email | downcase | slice: -10, 10 %}{% if email_verified %}{% if hd or tail == '@gmail.com' %}true{% endif %}{% endif %}",
    },
    secrets: ["client_secret"],
  },
  github: {
    name: "GitHub",
    kind: "oauth2",
    config: {
      ...ownApi,
      authorization_endpoint: "https://github.com/login/oauth/authorize",
      token_endpoint: "https://github.com/login/oauth/access_token",
      userinfo_endpoint: "https://api.github.com/user",
      // `email` of /user is what somebody shows in public, verified or not: this says which one is verified.
      emails_endpoint: "https://api.github.com/user/emails",
      scopes: ["read:user", "user:email"],
    },
    trustEmails: "if_verified",
    attributeMapping: { subject: "{{ id }}", username: "{{ login }}", picture: "{{ avatar_url }}" },
    secrets: ["client_secret"],
  },
  apple: {
    name: "Apple",
    kind: "oidc",
    config: {
      ...OIDC,
      issuer: "https://appleid.apple.com",
      scopes: ["openid", "name", "email"],
      // With a scope of name or email Apple answers by form_post alone.
      response_mode: "form_post",
    },
    trustEmails: "if_verified",
    attributeMapping: {},
    required: ["team_id", "key_id"],
    secrets: ["private_key"],
  },
  microsoft: {
    name: "Microsoft",
    kind: "oidc",
    config: {
      ...OIDC,
      issuer: "https://login.microsoftonline.com/common/v2.0",
      issuer_template: "https://login.microsoftonline.com/{tenantid}/v2.0",
    },
    // Whoever administers any directory writes any address into `email` ("nOAuth"): never the proof of an account here.
    trustEmails: "never",
    attributeMapping: {
      // Somebody is `sub` in the directory `tid`: both together are nobody else's.
      subject: "{% if tid and sub %}{{ tid }}/{{ sub }}{% endif %}",
      // An optional claim: the owner of the domain verified it.
      email_verified: "{{ xms_edov }}",
      external_id: "{{ oid }}",
    },
    secrets: ["client_secret"],
  },
  discord: {
    name: "Discord",
    kind: "oauth2",
    config: {
      ...ownApi,
      authorization_endpoint: "https://discord.com/oauth2/authorize",
      token_endpoint: "https://discord.com/api/oauth2/token",
      userinfo_endpoint: "https://discord.com/api/users/@me",
      revocation_endpoint: "https://discord.com/api/oauth2/token/revoke",
      scopes: ["identify", "email"],
    },
    trustEmails: "if_verified",
    attributeMapping: {
      subject: "{{ id }}",
      username: "{{ username }}",
      email_verified: "{{ verified }}",
      picture: "{% if avatar %}https://cdn.discordapp.com/avatars/{{ id }}/{{ avatar }}.png{% endif %}",
    },
    secrets: ["client_secret"],
  },
  facebook: {
    name: "Facebook",
    kind: "oauth2",
    config: {
      ...ownApi,
      authorization_endpoint: "https://www.facebook.com/v23.0/dialog/oauth",
      token_endpoint: "https://graph.facebook.com/v23.0/oauth/access_token",
      userinfo_endpoint: "https://graph.facebook.com/v23.0/me?fields=id,first_name,last_name,email,picture",
      scopes: ["public_profile", "email"],
    },
    // It says nothing of whether it verified the address.
    trustEmails: "never",
    attributeMapping: {
      subject: "{{ id }}",
      given_name: "{{ first_name }}",
      family_name: "{{ last_name }}",
      picture: "{{ picture.data.url }}",
    },
    secrets: ["client_secret"],
  },
  linkedin: {
    name: "LinkedIn",
    kind: "oidc",
    config: {
      ...OIDC,
      issuer: "https://www.linkedin.com/oauth",
      // Its ID tokens leave the nonce out, and a code_verifier from a web application is `invalid_client` to it.
      nonce: false,
      pkce: false,
    },
    trustEmails: "if_verified",
    attributeMapping: {
      // An object of language and country, not the text of the standard.
      locale: "{% if locale.language %}{{ locale.language }}-{{ locale.country }}{% endif %}",
    },
    secrets: ["client_secret"],
  },
  x: {
    name: "X",
    kind: "oauth2",
    config: {
      ...ownApi,
      token_endpoint_auth_method: "client_secret_basic",
      authorization_endpoint: "https://x.com/i/oauth2/authorize",
      token_endpoint: "https://api.x.com/2/oauth2/token",
      userinfo_endpoint: "https://api.x.com/2/users/me?user.fields=confirmed_email,profile_image_url",
      revocation_endpoint: "https://api.x.com/2/oauth2/revoke",
      scopes: ["users.read", "tweet.read", "users.email"],
    },
    trustEmails: "if_verified",
    attributeMapping: {
      subject: "{{ data.id }}",
      username: "{{ data.username }}",
      email: "{{ data.confirmed_email }}",
      email_verified: "{% if data.confirmed_email %}true{% endif %}",
      picture: "{{ data.profile_image_url }}",
    },
    secrets: ["client_secret"],
  },
  gitlab: {
    name: "GitLab",
    kind: "oidc",
    config: { ...OIDC, issuer: "https://gitlab.com" },
    trustEmails: "if_verified",
    attributeMapping: { username: "{{ nickname }}" },
    secrets: ["client_secret"],
  },
  slack: {
    name: "Slack",
    kind: "oidc",
    config: { ...OIDC, issuer: "https://slack.com" },
    trustEmails: "if_verified",
    attributeMapping: {
      // Slack promises that `sub` is one person's within a workspace; together with it, it is nobody else's.
      subject:
        "{% assign team = claims['https://slack.com/team_id'] %}{% if team and sub %}{{ team }}/{{ sub }}{% else %}{{ sub }}{% endif %}",
    },
    secrets: ["client_secret"],
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
export const presetNames = Object.keys(presets);

/** The row of this name. */
export function findPreset(name: string): Preset | undefined {
  return Object.entries(presets).find(([known]) => known === name)?.[1];
}
