/** Every text message, in every language. */
import type { Locale } from "../lib/locale.ts";

/** One segment of a text message holds 70 characters where it is not plain ASCII. */
const MAX_TENANT_LENGTH = 30;

const texts: Readonly<Record<Locale, (code: string, tenant: string, minutes: number) => string>> = {
  en: (code, tenant, minutes) =>
    `${code} is your code for ${tenant}, for ${minutes} minutes. Tell it to nobody.`,
  de: (code, tenant, minutes) =>
    `${code} ist Ihr Code für ${tenant}, für ${minutes} Minuten. Sagen Sie ihn niemandem.`,
};

/** The code comes first, where a notification shows it. */
export function codeMessage(
  locale: Locale,
  { code, tenantName, minutes }: { code: string; tenantName: string; minutes: number },
): string {
  const tenant = [...tenantName.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim()];
  return texts[locale](code, tenant.slice(0, MAX_TENANT_LENGTH).join(""), minutes);
}
