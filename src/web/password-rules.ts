import type { TenantSettings } from "../domain/tenants/settings.ts";
import type { PasswordRules } from "./components/password-rules.ts";

/** A tenant's password policy as pages put it into words. */
export function passwordRulesOf(settings: TenantSettings): PasswordRules {
  const classes = ["uppercase", "lowercase", "digit", "symbol"] as const;
  return {
    minLength: settings.password_min_length,
    classes: classes.filter((name) => settings[`password_require_${name}`]),
  };
}
