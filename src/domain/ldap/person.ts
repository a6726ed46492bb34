/** Whose password it is, by bind and search. */
import { randomBytes } from "node:crypto";
import type { Entry } from "ldapts";
import type { Deps } from "../../deps.ts";
import { distinguishedNameKey } from "../../protocol/ldap/distinguished-name.ts";
import { fillFilter } from "../../protocol/ldap/filter.ts";
import { mapAttributes } from "../connections/attribute-mapping.ts";
import type { LdapConfig } from "../connections/kinds/ldap.ts";
import { connectionSecrets, type LdapConnection } from "../connections/service.ts";
import type { UpstreamIdentity } from "../federation/identity.ts";
import type { Attempt } from "../protection/service.ts";
import { type Directory, DirectoryError, withDirectory } from "./client.ts";

export interface DirectoryPerson {
  readonly identity: UpstreamIdentity;
  /** Names of the roles that their groups give them. */
  readonly roles: readonly string[];
}

interface Credentials {
  readonly username: string;
  readonly password: string;
  /**
   * Counts a try of the password of the entry of this name. A directory takes many spellings for one (case, spaces, accents,
   * each of the attributes that the filter names), so that what was typed alone bounds nothing.
   */
  beginAttempt(dn: string): Promise<Attempt>;
}

const MOST_GROUPS = 500;
const LONGEST_USERNAME = 254;

/**
 * Who somebody is by the directory, if the password is theirs. Whoever is unknown to it costs as many questions as whoever
 * is known and typed a wrong password.
 * @returns undefined when nobody, more than one, or somebody disabled is found, and for a wrong password
 * @throws DirectoryError when the directory cannot be asked; MasterKeyError
 */
export async function authenticatePerson(
  deps: Deps,
  connection: LdapConnection,
  { username, password, beginAttempt }: Credentials,
): Promise<DirectoryPerson | undefined> {
  // RFC 4513 §5.1.2: a directory takes a bind without a password for one of nobody, and lets it succeed.
  if (password === "" || username === "" || username.length > LONGEST_USERNAME) return undefined;
  const { bind_password: readerPassword = "" } = await connectionSecrets(deps, connection);
  const { config } = connection;
  return withDirectory(deps, config, readerPassword, async (directory) => {
    await directory.bindAsReader();
    const entry = await findPerson(directory, config, username);
    const enabled = entry !== undefined && !isDisabled(entry);
    const nobody = `cn=${randomBytes(16).toString("hex")},${config.base_dn}`;
    const attempt = await beginAttempt(enabled ? entry.dn : nobody);
    const dn = enabled && attempt.admitted ? entry.dn : nobody;
    const right = await isPasswordOf(directory, dn, { password, attempt });
    if (!right || !enabled || !attempt.admitted) return undefined;
    await directory.bindAsReader();
    const groups = await groupsOf(directory, config, entry);
    const claims = claimsOf(config, entry, groups);
    return { identity: mapAttributes(connection, claims), roles: rolesOf(config, groups) };
  });
}

async function isPasswordOf(
  directory: Directory,
  dn: string,
  { password, attempt }: { password: string; attempt: Attempt },
): Promise<boolean> {
  let right = false;
  try {
    right = await directory.isPasswordOf(dn, password);
  } finally {
    await (right ? attempt.passed() : attempt.failed());
  }
  return right;
}

async function findPerson(
  directory: Directory,
  config: LdapConfig,
  username: string,
): Promise<Entry | undefined> {
  const { subject_attribute: subject, attributes, group_attribute: group, group_base_dn: groupBase } = config;
  const own = Object.values(attributes);
  const found = await directory.search({
    base: config.base_dn,
    filter: fillFilter(config.user_filter, "username", username),
    attributes: [subject, ...own, ...(groupBase === undefined ? [group] : []), ...STATES],
    binary: [subject],
    // Two are enough to see that nobody knows who is meant.
    most: 2,
  });
  return found.length === 1 ? found[0] : undefined;
}

/** Active Directory's flags, and the lock of the 389 Directory Server. */
const STATES = ["userAccountControl", "nsAccountLock"];
const ACCOUNTDISABLE = 0x2;

function isDisabled(entry: Entry): boolean {
  const [flags] = textsOf(entry, "userAccountControl");
  const [locked] = textsOf(entry, "nsAccountLock");
  return (Number(flags ?? 0) & ACCOUNTDISABLE) !== 0 || locked?.toLowerCase() === "true";
}

async function groupsOf(directory: Directory, config: LdapConfig, entry: Entry): Promise<string[]> {
  const { group_base_dn: base, group_filter: filter, group_attribute: name } = config;
  if (base === undefined || filter === undefined) return textsOf(entry, name).slice(0, MOST_GROUPS);
  const found = await directory.search({
    base,
    filter: fillFilter(filter, "dn", entry.dn),
    attributes: [name],
    most: MOST_GROUPS,
  });
  return found.flatMap((group) => [group.dn, ...textsOf(group, name)]);
}

/** Groups are named by their distinguished name, or by what `group_attribute` says of them. */
function rolesOf({ group_roles: roles }: LdapConfig, groups: readonly string[]): string[] {
  const held = new Set(groups.map(distinguishedNameKey));
  const given = Object.entries(roles).filter(([group]) => held.has(distinguishedNameKey(group)));
  return [...new Set(given.flatMap(([, names]) => names))];
}

/** In the words of the standard claims (OpenID Connect Core §5.1), which templates see. */
function claimsOf(config: LdapConfig, entry: Entry, groups: readonly string[]): Record<string, unknown> {
  const { email, username, given_name, family_name } = config.attributes;
  const first = (name: string | undefined) => (name === undefined ? undefined : textsOf(entry, name)[0]);
  return {
    sub: subjectOf(config.subject_attribute, entry),
    dn: entry.dn,
    email: first(email),
    preferred_username: first(username),
    given_name: first(given_name),
    family_name: first(family_name),
    groups,
  };
}

/** @throws DirectoryError unless it has exactly one value: who has none, or two, could be anybody */
function subjectOf(attribute: string, entry: Entry): string {
  const values = valuesOf(entry, attribute);
  const [value] = values;
  const subject = value === undefined ? "" : typeof value === "string" ? value : decoded(attribute, value);
  if (values.length !== 1 || subject === "")
    throw new DirectoryError("entry", `${attribute} has ${values.length} values`);
  return subject;
}

/** Octets that are no text are told in hex; an objectGUID as Active Directory writes it, the first half little-endian. */
function decoded(attribute: string, octets: Buffer): string {
  if (attribute.toLowerCase() === "objectguid" && octets.length === 16) {
    const hex = (from: number, to: number) => octets.toString("hex", from, to);
    const reversed = (from: number, to: number) =>
      Buffer.from([...octets.subarray(from, to)].toReversed()).toString("hex");
    return [reversed(0, 4), reversed(4, 6), reversed(6, 8), hex(8, 10), hex(10, 16)].join("-");
  }
  const text = octets.toString("utf8");
  // oxlint-disable-next-line no-control-regex -- control characters make octets of it
  const isText = Buffer.from(text, "utf8").equals(octets) && !/[\x00-\x1f\x7f]/.test(text);
  return isText ? text : octets.toString("hex");
}

/** Attributes are named without regard to case (RFC 4512 §2.5). */
function valuesOf(entry: Entry, attribute: string): (string | Buffer)[] {
  const key = Object.keys(entry).find((name) => name.toLowerCase() === attribute.toLowerCase());
  const value = key === undefined ? [] : (entry[key] ?? []);
  return (Array.isArray(value) ? value : [value]).filter((one) => one.length > 0);
}

const textsOf = (entry: Entry, attribute: string): string[] =>
  valuesOf(entry, attribute).map((value) => (typeof value === "string" ? value : value.toString("utf8")));
