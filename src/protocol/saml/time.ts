import { SamlError } from "./errors.ts";

const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z?$/;

/** saml-core-2.0-os §1.3.3: in UTC, always. @throws SamlError for anything else */
export function readInstant(text: string | undefined): Date {
  const [, seconds, fraction = ""] = DATE_TIME.exec(text ?? "") ?? [];
  const instant = new Date(`${seconds}${fraction.slice(0, 4)}Z`);
  // `Date` turns the 31st of February into March.
  if (seconds === undefined || Number.isNaN(instant.getTime()) || !instant.toISOString().startsWith(seconds))
    throw new SamlError("timestamp", "a time that is none");
  return instant;
}

export const writeInstant = (instant: Date): string => instant.toISOString();

/** How far two clocks may be apart. */
export interface Clocks {
  readonly now: Date;
  readonly skewSeconds: number;
}

/** Whether `instant` has passed on every clock that is within the skew. */
export const hasPassed = (instant: Date, { now, skewSeconds }: Clocks): boolean =>
  instant.getTime() + skewSeconds * 1000 <= now.getTime();

/** Whether `instant` is yet to come on every clock that is within the skew. */
export const isAhead = (instant: Date, { now, skewSeconds }: Clocks): boolean =>
  instant.getTime() - skewSeconds * 1000 > now.getTime();
