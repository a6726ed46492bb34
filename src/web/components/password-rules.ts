import type { Messages } from "../messages/en.ts";

export interface PasswordRules {
  minLength: number;
  classes: readonly (keyof Messages["signUp"]["characterClasses"])[];
}

/** What a tenant asks of passwords unless it says otherwise. */
const defaultRules: PasswordRules = {
  minLength: 8,
  classes: ["uppercase", "lowercase", "digit", "symbol"],
};

/** The tenant's rules in words, shown before the first attempt and not only after a refusal. */
export function passwordHint(t: Messages, rules: PasswordRules = defaultRules): string {
  return t.signUp.passwordRules(
    rules.minLength,
    rules.classes.map((name) => t.signUp.characterClasses[name]),
  );
}
