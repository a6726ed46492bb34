/** What people may change of their own profile by themselves (OpenID Connect Core §5.1 names the members). */
import type { Deps } from "../../deps.ts";
import { type FieldError, validationError } from "../../lib/errors.ts";
import * as audit from "../audit/service.ts";
import type { RequestContext } from "../request-context.ts";
import { findUserById, type User } from "../users/service.ts";
import { type ProfileChanges, updateProfile as update } from "./repo.ts";

export type { ProfileChanges } from "./repo.ts";

const MOST_NAME = 128;
const MOST_PICTURE = 2048;

/**
 * Changes the members that are given; null takes one away. The audit trail keeps which, not what.
 * @throws AppError 422 for a value that is none
 */
export async function updateProfile(
  deps: Deps,
  user: User,
  changes: ProfileChanges,
  context: RequestContext,
): Promise<User> {
  const problems = profileProblems(changes);
  if (problems.length > 0) throw validationError(problems);
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await update(tx, user.tenantId, user.id, changes, now);
    await audit.record(tx, {
      tenantId: user.tenantId,
      type: "user.updated",
      actor: { type: "user", id: user.id },
      target: { type: "user", id: user.id },
      details: { members: Object.keys(changes) },
      context,
      now,
    });
  });
  const updated = await findUserById(deps, user.tenantId, user.id);
  if (!updated) throw new Error("a user vanished while their profile was changed");
  return updated;
}

/** What is wrong with a profile's members, by their names on the wire. */
export function profileProblems(changes: ProfileChanges): FieldError[] {
  const checks: [
    field: string,
    value: string | null | undefined,
    isFine: (text: string) => boolean,
    rule: string,
  ][] = [
    ["given_name", changes.givenName, isName, `Must be 1 to ${MOST_NAME} printable characters.`],
    ["family_name", changes.familyName, isName, `Must be 1 to ${MOST_NAME} printable characters.`],
    ["picture", changes.picture, isPicture, "Must be the https URL of a picture."],
    ["locale", changes.locale, isLocale, "Must be a language tag, such as en or de-AT."],
    ["zoneinfo", changes.zoneinfo, isTimeZone, "Must be a time zone, such as Europe/Berlin."],
  ];
  return checks.flatMap(([field, value, isFine, message]) =>
    typeof value === "string" && !isFine(value) ? [{ field, message }] : [],
  );
}

const isName = (text: string) =>
  text.trim() !== "" && text.length <= MOST_NAME && !/[\p{Cc}\u2028\u2029]/u.test(text);

/** Others' browsers will load it: over https, from a host with a name, and without credentials in it. */
function isPicture(text: string): boolean {
  const url = text.length <= MOST_PICTURE ? URL.parse(text) : null;
  return url?.protocol === "https:" && url.username === "" && url.password === "";
}

/** BCP 47. */
function isLocale(text: string): boolean {
  return text.length <= 35 && succeeds(() => Intl.getCanonicalLocales(text));
}

/** A name of the IANA time zone database; an offset is none. */
function isTimeZone(text: string): boolean {
  return (
    /^[A-Za-z]/.test(text) &&
    text.length <= 64 &&
    succeeds(() => new Intl.DateTimeFormat("en", { timeZone: text }))
  );
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
