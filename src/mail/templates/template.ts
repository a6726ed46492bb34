/** What every template is given, beside its own data. */
import type { Locale } from "../../lib/locale.ts";
import type { Letter } from "./letter.tsx";
import { de } from "./messages/de.ts";
import { en, type MailMessages } from "./messages/en.ts";
import { headerText, safeName } from "./untrusted-text.ts";

export interface MailContext {
  locale: Locale;
  tenantName: string;
}

/** Data of a mail to a person. */
export interface PersonData {
  /** How the person calls themselves; left out of the greeting when it looks like a link or is otherwise odd. */
  name?: string | undefined;
  /** Built from the tenant's configured URL. */
  link: string;
}

/** Data of a mail with a link that is a credential. */
export interface TokenData extends PersonData {
  /** How long the link works from now, in seconds. */
  expiresInSeconds: number;
}

export type Template<Data> = (data: Data, context: MailContext) => Letter;

const catalogues: Readonly<Record<Locale, MailMessages>> = { en, de };

export function mailMessages(locale: Locale): MailMessages {
  return catalogues[locale];
}

/** The parts that all letters share. */
export function letterFrame(name: string | undefined, { locale, tenantName }: MailContext) {
  const t = mailMessages(locale);
  const tenant = headerText(tenantName);
  return {
    t,
    tenant,
    common: { greeting: t.greeting(safeName(name)), fallback: t.fallback, signature: tenant },
  };
}

/** Whole hours where they are exact, minutes otherwise, never more than the link really has. */
export function duration(t: MailMessages, seconds: number): string {
  const minutes = Math.max(1, Math.floor(seconds / 60));
  return minutes % 60 === 0 ? t.hours(minutes / 60) : t.minutes(minutes);
}

/** A moment in words, in UTC, since nobody knows where the reader is. */
export function moment(at: Date, { locale }: MailContext): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  return `${format.format(at)} UTC`;
}
