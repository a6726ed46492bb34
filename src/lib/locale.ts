/** The languages that pages and mails exist in, and the choice among them. */

export const locales = ["en", "de"] as const;
export type Locale = (typeof locales)[number];

export const defaultLocale: Locale = "en";

/** More entries than any browser sends; the rest of a longer list is not read. */
const MAX_PREFERENCES = 20;

export interface LocalePreferences {
  /** The `ui_locales` parameter: BCP 47 tags in order of preference, separated by spaces (OIDC Core §3.1.2.1). */
  uiLocales?: string | undefined;
  /** The `Accept-Language` header (RFC 9110 §12.5.4). */
  acceptLanguage?: string | null | undefined;
}

/**
 * The best language on offer. The application's wish (`ui_locales`) comes before the browser's; a regional tag such
 * as `de-AT` is served by its language (RFC 4647 §3.4, lookup). What cannot be read counts as no wish.
 */
export function negotiateLocale({ uiLocales, acceptLanguage }: LocalePreferences): Locale {
  const wishes = [
    ...(uiLocales ?? "").split(" ", MAX_PREFERENCES),
    ...acceptedLanguages(acceptLanguage ?? ""),
  ];
  for (const wish of wishes) {
    const language = wish.toLowerCase().split("-", 1)[0];
    const match = locales.find((locale) => locale === language);
    if (match) return match;
  }
  return defaultLocale;
}

function acceptedLanguages(header: string): string[] {
  return header
    .split(",", MAX_PREFERENCES)
    .map((entry) => {
      const [tag = "", ...parameters] = entry.split(";").map((part) => part.trim());
      const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
      return { tag, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}
