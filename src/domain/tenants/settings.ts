import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const Seconds = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

/** Everything a tenant may set; the defaults are what a tenant that sets nothing gets. */
export const TenantSettings = Type.Object({
  password_min_length: Type.Integer({ default: 8, minimum: 8, maximum: 128 }),
  password_require_uppercase: Type.Boolean({ default: true }),
  password_require_lowercase: Type.Boolean({ default: true }),
  password_require_digit: Type.Boolean({ default: true }),
  password_require_symbol: Type.Boolean({ default: true }),
  access_token_lifetime: Seconds(900, 60, 3600),
  refresh_token_lifetime: Seconds(7 * 86_400, 60, 90 * 86_400),
  id_token_lifetime: Seconds(900, 60, 3600),
  session_lifetime: Seconds(86_400, 60, 90 * 86_400),
  remembered_session_lifetime: Seconds(30 * 86_400, 60, 90 * 86_400),
  self_registration_enabled: Type.Boolean({ default: true }),
  email_verification_required: Type.Boolean({ default: false }),
  forgot_password_enabled: Type.Boolean({ default: true }),
  remember_me_enabled: Type.Boolean({ default: true }),
  max_failed_login_attempts: Type.Integer({ default: 5, minimum: 1, maximum: 100 }),
  lockout_duration: Seconds(15 * 60, 60, 86_400),
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
