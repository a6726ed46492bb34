import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { ScimUserExtension } from "./scim-extension.ts";
import { validationError } from "../../lib/errors.ts";
import { DEFAULT_SCOPES } from "../clients/model.ts";
import { MOST_REQUESTS_A_MINUTE, type RateLimitGroup, rateLimitGroups } from "../../lib/rate-limits.ts";

const Seconds = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

const RequestsAMinute = Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_REQUESTS_A_MINUTE }));

/** Everything a tenant may set; the defaults are what a tenant that sets nothing gets. */
export const TenantSettings = Type.Object({
  password_min_length: Type.Integer({ default: 8, minimum: 8, maximum: 128 }),
  password_require_uppercase: Type.Boolean({ default: true }),
  password_require_lowercase: Type.Boolean({ default: true }),
  password_require_digit: Type.Boolean({ default: true }),
  password_require_symbol: Type.Boolean({ default: true }),
  /** How many of a user's last passwords, the current one among them, may not be chosen again. */
  password_history: Type.Integer({ default: 0, minimum: 0, maximum: 24 }),
  /** The least strength by zxcvbn, from 0 (anything) to 4 (very hard to guess). */
  password_min_strength: Type.Integer({ default: 0, minimum: 0, maximum: 4 }),
  /** Whether passwords known from breaches are refused, as BREACHED_PASSWORDS_URL knows them. */
  password_breach_check: Type.Boolean({ default: false }),
  /** Ways to sign in without a password. */
  magic_link_enabled: Type.Boolean({ default: false }),
  email_code_enabled: Type.Boolean({ default: false }),
  sms_code_enabled: Type.Boolean({ default: false }),
  /** Whether people may delete their account themselves, and how many days they have to think better of it. */
  account_deletion_enabled: Type.Boolean({ default: true }),
  account_deletion_grace_days: Type.Integer({ default: 14, minimum: 0, maximum: 90 }),
  /**
   * For how many days the audit trail is shown. A month of it is dropped when the tenant that keeps it longest wants it no
   * more, since tenants share the partitions.
   */
  audit_retention_days: Type.Integer({ default: 365, minimum: 30, maximum: 36_500 }),
  /** For how many days at most an API key may be made. */
  api_key_max_days: Type.Integer({ default: 365, minimum: 1, maximum: 365 }),
  /** Whether keys of service accounts may have no end. */
  api_keys_without_expiry: Type.Boolean({ default: false }),
  /** Whether administrators may sign in as a user. */
  impersonation_enabled: Type.Boolean({ default: false }),
  /** Whether the user gets a mail when somebody signed in as them. */
  impersonation_mail: Type.Boolean({ default: true }),
  access_token_lifetime: Seconds(900, 60, 3600),
  refresh_token_lifetime: Seconds(7 * 86_400, 60, 90 * 86_400),
  id_token_lifetime: Seconds(900, 60, 3600),
  session_lifetime: Seconds(86_400, 60, 90 * 86_400),
  remembered_session_lifetime: Seconds(30 * 86_400, 60, 90 * 86_400),
  /** Seconds without any use after which a browser session ends. 0: only its lifetime ends it. */
  session_idle_timeout: Type.Integer({ default: 0, minimum: 0, maximum: 90 * 86_400 }),
  /** For how many days a signing key signs before the next one takes over. */
  key_rotation_days: Type.Integer({ default: 90, minimum: 1, maximum: 3650 }),
  /** RFC 7591: "token" needs an initial access token. */
  dynamic_registration: Type.Union([Type.Literal("off"), Type.Literal("token"), Type.Literal("open")], {
    default: "off",
  }),
  /** Whether a URL may be a client_id (OAuth Client ID Metadata Document): what an MCP client needs. */
  client_id_metadata_documents: Type.Boolean({ default: false }),
  /** The most that clients may ask for who registered themselves, by either way. */
  self_registered_scopes: Type.Array(Type.String({ pattern: "^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,128}$" }), {
    default: [...DEFAULT_SCOPES],
    maxItems: 100,
  }),
  /** RFC 8707: the resource servers, such as MCP servers, that they may ask tokens for. */
  self_registered_resources: Type.Array(
    Type.String({ pattern: "^[a-z][a-z0-9+.-]*:[^#]+$", maxLength: 2048 }),
    {
      default: [],
      maxItems: 100,
    },
  ),
  /** RFC 9126 §5: whether no client at all may bring its authorization requests in the browser. */
  require_pushed_authorization_requests: Type.Boolean({ default: false }),
  /** RFC 9449 §8: whether a DPoP proof has to carry a nonce of ours. */
  dpop_nonce_required: Type.Boolean({ default: true }),
  /** Whether addresses that the tenant's own directory provisions count as verified. */
  scim_emails_verified: Type.Boolean({ default: true }),
  /** Whether SCIM may take over an account that has the same verified address; otherwise it is told of a conflict. */
  scim_link_existing_users: Type.Boolean({ default: false }),
  /** What SCIM users of this tenant have beside the attributes of RFC 7643. */
  scim_user_extension: Type.Union([ScimUserExtension, Type.Null()], { default: null }),
  /** Whether who is provisioned gets a mail of welcome. */
  scim_welcome_mail: Type.Boolean({ default: false }),
  /** Whether groups may be members of groups. */
  scim_nested_groups: Type.Boolean({ default: true }),
  self_registration_enabled: Type.Boolean({ default: true }),
  email_verification_required: Type.Boolean({ default: false }),
  forgot_password_enabled: Type.Boolean({ default: true }),
  remember_me_enabled: Type.Boolean({ default: true }),
  max_failed_login_attempts: Type.Integer({ default: 5, minimum: 1, maximum: 100 }),
  lockout_duration: Seconds(15 * 60, 60, 86_400),
  /**
   * Wrong credentials from one address, whatever the accounts, in 15 minutes. Far above the number for an account: whole
   * companies share one address, and one of their own must not lock them out in passing.
   */
  max_failed_attempts_per_ip: Type.Integer({ default: 100, minimum: 5, maximum: 100_000 }),
  /** Second factors: never asked for, asked of whoever set one up, or everybody has to set one up. */
  mfa_enforcement: Type.Union([Type.Literal("off"), Type.Literal("optional"), Type.Literal("required")], {
    default: "optional",
  }),
  mfa_methods: Type.Array(
    Type.Union([
      Type.Literal("totp"),
      Type.Literal("webauthn"),
      Type.Literal("email_code"),
      Type.Literal("sms_code"),
      Type.Literal("backup_code"),
    ]),
    { default: ["totp", "webauthn", "backup_code"], uniqueItems: true },
  ),
  /** For how many days a device may be trusted after a second factor. 0: never. */
  trusted_device_days: Type.Integer({ default: 30, minimum: 0, maximum: 365 }),
  /** Whether a passkey has to verify its user (WebAuthn Level 3 §5.8.6). */
  webauthn_user_verification: Type.Union(
    [Type.Literal("required"), Type.Literal("preferred"), Type.Literal("discouraged")],
    { default: "preferred" },
  ),
  /** Whether authenticators are asked for a proof of their make (WebAuthn Level 3 §5.4.7). */
  webauthn_attestation: Type.Union([Type.Literal("none"), Type.Literal("direct")], { default: "none" }),
  /** Requests a minute by group of endpoints; the installation's for what is not named (RATE_LIMITS). */
  rate_limits: Type.Object(
    Object.fromEntries(rateLimitGroups.map((group) => [group, RequestsAMinute])) as Record<
      RateLimitGroup,
      typeof RequestsAMinute
    >,
    { default: {}, additionalProperties: false },
  ),
  /** How the hosted pages look. */
  login_theme: Type.Union(
    [
      Type.Literal("default"),
      Type.Literal("dark"),
      Type.Literal("corporate"),
      Type.Literal("gradient"),
      Type.Literal("minimal"),
    ],
    { default: "default" },
  ),
  /** `#rrggbb`; empty: the theme's own. Text on and in it is kept readable. */
  primary_color: Type.String({ default: "", pattern: "^(#[0-9A-Fa-f]{6})?$" }),
  background_color: Type.String({ default: "", pattern: "^(#[0-9A-Fa-f]{6})?$" }),
  login_page_title: Type.String({ default: "", maxLength: 200 }),
  login_page_message: Type.String({ default: "", maxLength: 2000 }),
  logo_url: Type.String({ default: "", maxLength: 2048 }),
});
export type TenantSettings = Static<typeof TenantSettings>;

/** @param stored what the database holds: only what differs from the defaults, perhaps written by an older build. */
export function parseSettings(stored: Record<string, unknown>): TenantSettings {
  const known = Object.fromEntries(
    Object.entries(stored).filter(([name, value]) => {
      if (!Object.hasOwn(TenantSettings.properties, name)) return false;
      return Value.Check(TenantSettings.properties[name as keyof TenantSettings], value);
    }),
  );
  return { ...Value.Create(TenantSettings), ...known };
}

/**
 * Settings that somebody wants to change.
 * @throws AppError 422 that names each one that is unknown or has a wrong value
 */
export function checkSettings(given: Readonly<Record<string, unknown>>): Partial<TenantSettings> {
  const problems = Object.entries(given).flatMap(([name, value]) => {
    const known = Object.hasOwn(TenantSettings.properties, name);
    const sound = known && Value.Check(TenantSettings.properties[name as keyof TenantSettings], value);
    return sound ? [] : [{ field: name, message: known ? "Has a value that is none." : "Is no setting." }];
  });
  if (problems.length > 0) throw validationError(problems);
  return Object.fromEntries(Object.entries(given));
}
