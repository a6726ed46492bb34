import { PasswordRefused } from "../../domain/passwords/service.ts";
import type { TenantSettings } from "../../domain/tenants/settings.ts";
import { passwordHint, type PasswordRules } from "../components/password-rules.ts";
import type { Messages } from "../messages/en.ts";

/** A tenant's password policy as pages put it into words. */
export function passwordRulesOf(settings: TenantSettings): PasswordRules {
  const classes = ["uppercase", "lowercase", "digit", "symbol"] as const;
  return {
    minLength: settings.password_min_length,
    classes: classes.filter((name) => settings[`password_require_${name}`]),
  };
}

/** Why a password was not taken, in the page's language. */
export function refusalText(t: Messages, settings: TenantSettings, error: unknown): string {
  return error instanceof PasswordRefused && error.reason !== "policy"
    ? t.passwordProblems[error.reason]
    : passwordHint(t, passwordRulesOf(settings));
}
