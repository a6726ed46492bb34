import type { Locale } from "../../lib/locale.ts";
import { de } from "./de.ts";
import { en, type Messages } from "./en.ts";

const catalogues: Readonly<Record<Locale, Messages>> = { en, de };

/** The texts of the hosted pages in a language, which `negotiateLocale` chose. */
export function translator(locale: Locale): Messages {
  return catalogues[locale];
}
