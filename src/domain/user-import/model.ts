/** One user of an import, as a row of a file says it, and what can be wrong with it. */
import type { FieldError } from "../../lib/errors.ts";
import { profileProblems } from "../accounts/profile.ts";
import { readPasswordHash, writeFirebaseHash } from "../passwords/hash-formats.ts";
import { emailKey, isEmailAddress, isUsername, usernameKey, USERNAME_RULE } from "../users/service.ts";

export const formats = ["ndjson", "csv"] as const;
export type Format = (typeof formats)[number];

/** What becomes of a row whose address or username a user has already. */
export const conflictRules = ["skip", "update", "fail"] as const;
export type ConflictRule = (typeof conflictRules)[number];

/** Of a file. */
export const MOST_FILE_BYTES = 512 * 1024 * 1024;

const MOST_NAMES = 100;
const MOST_NAME = 128;

/** A Firebase project's hash parameters, with which each row's hash becomes one text. */
export interface FirebaseHashing {
  readonly memCost: number;
  readonly rounds: number;
  readonly saltSeparator: Buffer;
  readonly keyId: string;
  readonly sealedSignerKey: Buffer;
}

export interface Candidate {
  /** Counted from 1. */
  readonly row: number;
  /** Undefined: one is made of the address. */
  readonly username: string | undefined;
  readonly usernameKey: string | undefined;
  readonly email: string;
  readonly emailKey: string;
  readonly emailVerified: boolean;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly picture: string | null;
  readonly locale: string | null;
  readonly zoneinfo: string | null;
  readonly enabled: boolean;
  /** Names. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** Undefined: the moment of the import. */
  readonly createdAt: Date | undefined;
  readonly passwordHash: string | undefined;
}

/** A row's fields by name: JSON's values, or text. */
export type Fields = Readonly<Record<string, unknown>>;

/** @returns the candidate, or each field that is wrong and why: never what it holds */
export function readCandidate(
  row: number,
  fields: Fields,
  { firebase, now }: { firebase: FirebaseHashing | undefined; now: Date },
): Candidate | FieldError[] {
  const problems: FieldError[] = [];
  const refuse = (field: string, message: string) => void problems.push({ field, message });
  const text = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (isStorable(value)) return value;
    return (refuse(name, "Must be a text."), undefined);
  };
  const flag = (name: string, otherwise: boolean): boolean => {
    const value = fields[name];
    if (value === undefined || value === null || value === "") return otherwise;
    const read = readFlag(value);
    return read ?? (refuse(name, "Must be true or false."), otherwise);
  };
  const names = (name: string): string[] => {
    const read = readNames(fields[name]);
    return read ?? (refuse(name, `Must be at most ${MOST_NAMES} names of 1 to ${MOST_NAME} characters.`), []);
  };

  const username = text("username");
  if (username !== undefined && !isUsername(username)) refuse("username", USERNAME_RULE);
  const email = text("email")?.trim();
  if (email === undefined || !isEmailAddress(email)) refuse("email", "Must be an email address.");
  const profile = {
    givenName: text("given_name") ?? text("first_name") ?? null,
    familyName: text("family_name") ?? text("last_name") ?? null,
    picture: text("picture") ?? null,
    locale: text("locale") ?? null,
    zoneinfo: text("zoneinfo") ?? null,
  };
  problems.push(...profileProblems(profile));
  const createdText = text("created_at");
  const createdAt = createdText === undefined ? undefined : readMoment(createdText, now);
  if (createdText !== undefined && !createdAt)
    refuse("created_at", "Must be a moment of the past, as ISO 8601 writes it.");
  const hash = readHash(text("password_hash"), text("password_salt"), firebase);
  if (hash && "problem" in hash) refuse("password_hash", hash.problem);
  const candidate = {
    row,
    username,
    usernameKey: username === undefined ? undefined : usernameKey(username),
    email: email ?? "",
    emailKey: emailKey(email ?? ""),
    emailVerified: flag("email_verified", false),
    ...profile,
    enabled: flag("enabled", true),
    roles: names("roles"),
    groups: names("groups"),
    createdAt,
    passwordHash: hash && "encoded" in hash ? hash.encoded : undefined,
  };
  return problems.length > 0 ? problems : candidate;
}

/** JSON can write what no text of a database is: one such row is not to stop the others. */
const isStorable = (value: unknown): value is string =>
  typeof value === "string" && value.isWellFormed() && !value.includes("\0");

function readFlag(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  if (/^(?:true|1|yes)$/i.test(value)) return true;
  return /^(?:false|0|no)$/i.test(value) ? false : undefined;
}

/** A list, or in a cell names with semicolons between. */
function readNames(value: unknown): string[] | undefined {
  if (value === undefined || value === null || value === "") return [];
  const list = typeof value === "string" ? value.split(";").map((name) => name.trim()) : value;
  if (!Array.isArray(list) || list.length > MOST_NAMES) return undefined;
  const names = list.filter(
    (name): name is string => isStorable(name) && name.length > 0 && name.length <= MOST_NAME,
  );
  return names.length === list.length ? [...new Set(names)] : undefined;
}

function readMoment(text: string, now: Date): Date | undefined {
  const moment = /^\d{4}-\d\d-\d\d(?:[T ]|$)/.test(text) ? new Date(text) : undefined;
  if (!moment || Number.isNaN(moment.getTime()) || moment > now) return undefined;
  return moment.getUTCFullYear() >= 1970 ? moment : undefined;
}

/** @param salt of Firebase alone: the others have theirs within */
function readHash(
  hash: string | undefined,
  salt: string | undefined,
  firebase: FirebaseHashing | undefined,
): { encoded: string } | { problem: string } | undefined {
  if (hash === undefined) return undefined;
  if (salt !== undefined && !firebase)
    return { problem: "Has a salt of its own: the import needs the Firebase project's hash parameters." };
  const encoded = salt !== undefined && firebase ? firebaseHash(hash, salt, firebase) : hash;
  const read = encoded === undefined || isOurOwnForm(hash) ? "unknown" : readPasswordHash(encoded);
  if (read === "too_costly") return { problem: "Takes more time or memory to verify than a sign-in may." };
  if (read === "unknown" || encoded === undefined)
    return { problem: "Must be a hash of bcrypt, argon2, scrypt or pbkdf2 in a form that is known here." };
  return { encoded: "encoded" in read ? read.encoded : encoded };
}

/** What only this server writes: somebody else's sealed keys are none that could be opened here. */
const isOurOwnForm = (hash: string) => hash.startsWith("$firebase-scrypt$");

function firebaseHash(hash: string, salt: string, firebase: FirebaseHashing): string | undefined {
  const [digest, ownSalt] = [hash, salt].map(readBase64);
  if (!digest || !ownSalt) return undefined;
  return writeFirebaseHash({ ...firebase, salt: ownSalt, digest });
}

/** Also with the URL's alphabet, in which some of Firebase's own tools write. */
export function readBase64(text: string): Buffer | undefined {
  const plain = text.trim().replaceAll("-", "+").replaceAll("_", "/");
  return /^[A-Za-z0-9+/]+={0,2}$/.test(plain) ? Buffer.from(plain, "base64") : undefined;
}
