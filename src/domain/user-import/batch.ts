/** Some rows of an import, in one transaction with how far it is: a worker that is killed leaves all of them or none. */
import type { Executor } from "../../db/client.ts";
import { sha256 } from "../../lib/crypto.ts";
import { type Id, newId } from "../../lib/ids.ts";
import { givesRole, holdsRole } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { findRoles } from "../roles/service.ts";
import { usernameKey } from "../users/service.ts";
import type { Candidate } from "./model.ts";
import { fail, type Outcome, slices } from "./outcome.ts";
import * as repo from "./repo.ts";

/** A user that a row is about: one that there is, or one that an earlier row makes. */
interface Owner {
  readonly userId: Id<"user">;
  readonly usernameKey: string;
  readonly emailKeys: readonly string[];
  /** Of these addresses, those that whoever signs in never proved to have. */
  readonly unprovenKeys: readonly string[];
}

type Work =
  | {
      readonly kind: "create";
      readonly userId: Id<"user">;
      readonly username: string;
      readonly from: Candidate;
    }
  | { readonly kind: "update"; readonly userId: Id<"user">; readonly from: Candidate };

/** Does what the rows ask for, unless it is a dry run, and counts what becomes of each. */
export async function importBatch(
  tx: Executor,
  of: repo.UserImport,
  candidates: readonly Candidate[],
  outcome: Outcome,
  now: Date,
): Promise<void> {
  const allowed = await keepAllowed(tx, of, candidates, outcome);
  const work = await decide(tx, of, allowed.candidates, outcome);
  if (of.dryRun || work.length === 0) return;
  await create(tx, of, work, now);
  for (const one of work) if (one.kind === "update") await update(tx, of, one, now);
  await addMemberships(tx, of, work, allowed, now);
}

interface Allowed {
  readonly candidates: readonly Candidate[];
  readonly roles: ReadonlyMap<string, Id<"role">>;
  readonly groups: ReadonlyMap<string, Id<"group">>;
}

/** Leaves out rows with roles or groups that there are none of, or that who imports may not give (CWE-269). */
async function keepAllowed(
  tx: Executor,
  { tenantId, superAdmin }: repo.UserImport,
  candidates: readonly Candidate[],
  outcome: Outcome,
): Promise<Allowed> {
  const wanted = new Set(candidates.flatMap(({ groups }) => groups));
  const roles = new Map(
    candidates.some(({ roles: given }) => given.length > 0)
      ? (await findRoles(tx, tenantId)).map(({ name, id }) => [name, id] as const)
      : [],
  );
  const groups = new Map<string, Id<"group">>();
  const reasons = new Map<string, string>();
  for (const { id, name } of await repo.findGroups(tx, tenantId, [...wanted])) {
    if (groups.has(name)) reasons.set(name, "Several groups of the tenant have this name.");
    groups.set(name, id);
    if (!superAdmin && (await givesRole(tx, tenantId, id, "super_admin")))
      reasons.set(name, "This group lets its members administer every tenant: only who does so adds some.");
  }
  const kept = candidates.filter((candidate) => {
    const problems = [
      ...candidate.roles.flatMap((name) => {
        if (!roles.has(name)) return { field: "roles", message: "Must be roles of this tenant." };
        return name === "super_admin" && !superAdmin
          ? { field: "roles", message: "Only who administers every tenant lets others do so." }
          : [];
      }),
      ...candidate.groups.flatMap((name) => {
        if (!groups.has(name)) return { field: "groups", message: "Must be groups of this tenant." };
        return { field: "groups", message: reasons.get(name) ?? [] };
      }),
    ].filter((problem): problem is { field: string; message: string } => typeof problem.message === "string");
    if (problems.length > 0) fail(outcome, candidate.row, problems);
    return problems.length === 0;
  });
  return { candidates: kept, roles, groups };
}

const taken = {
  email: { field: "email", message: "A user with this email address exists already." },
  username: { field: "username", message: "A user with this username exists already." },
  unproven: {
    field: "email",
    message:
      "Who signs in to the account with this address never proved to have it: they may be somebody else.",
  },
  other: { field: "username", message: "The username and the email address belong to different users." },
  superAdmin: {
    field: "email",
    message: "This user administers every tenant: only one of them changes them.",
  },
};

/** What is to be done for each row: rows of one file are told from one another like from users that there are. */
async function decide(
  tx: Executor,
  of: repo.UserImport,
  candidates: readonly Candidate[],
  outcome: Outcome,
): Promise<Work[]> {
  const byUsername = new Map<string, Owner>();
  const byEmail = new Map<string, Owner>();
  const know = (owner: Owner) => {
    byUsername.set(owner.usernameKey, owner);
    for (const key of owner.emailKeys) byEmail.set(key, owner);
  };
  const named = candidates.map((from) => ({ from, username: from.username ?? inventUsername(from, of.id) }));
  const existing = await repo.findExisting(
    tx,
    of.tenantId,
    named.map(({ username }) => usernameKey(username)),
    candidates.map(({ emailKey }) => emailKey),
  );
  existing.forEach(know);
  const work: Work[] = [];
  for (const { from, username } of named) {
    const key = usernameKey(username);
    const [byName, byAddress] = [byUsername.get(key), byEmail.get(from.emailKey)];
    if (!byName && !byAddress) {
      const userId = newId("user");
      know({ userId, usernameKey: key, emailKeys: [from.emailKey], unprovenKeys: [] });
      work.push({ kind: "create", userId, username, from });
      outcome.created++;
      continue;
    }
    if (of.onConflict === "skip") {
      outcome.skipped++;
      continue;
    }
    const problem = await conflictOf(tx, of, from, byName, byAddress);
    if (problem) fail(outcome, from.row, [problem]);
    else if (byAddress) {
      work.push({ kind: "update", userId: byAddress.userId, from });
      outcome.updated++;
    }
  }
  return work;
}

async function conflictOf(
  tx: Executor,
  of: repo.UserImport,
  from: Candidate,
  byName: Owner | undefined,
  byAddress: Owner | undefined,
): Promise<(typeof taken)[keyof typeof taken] | undefined> {
  if (of.onConflict === "fail") return byAddress ? taken.email : taken.username;
  if (!byAddress) return taken.username;
  if (byName && byName.userId !== byAddress.userId) return taken.other;
  // Whoever is found by the address is the one; another name in the file is no reason to rename them.
  if (from.username !== undefined && !byName) return taken.other;
  // What the file says of the address's owner is not for who wrote it down before they came.
  if (byAddress.unprovenKeys.includes(from.emailKey)) return taken.unproven;
  if (!of.superAdmin && (await holdsRole(tx, of.tenantId, byAddress.userId, "super_admin")))
    return taken.superAdmin;
  return undefined;
}

/** The same each time that a row is read, and hardly anybody else's. */
function inventUsername({ emailKey }: Candidate, importId: string): string {
  const local = (emailKey.split("@")[0] ?? "").normalize("NFKD").replace(/[^a-z0-9._-]/g, "");
  const start = local.replace(/^[._-]+/, "").slice(0, 64) || "user";
  return `${start}-${sha256(`${importId}/${emailKey}`).toString("hex").slice(0, 10)}`;
}

async function create(tx: Executor, of: repo.UserImport, work: readonly Work[], now: Date): Promise<void> {
  const { tenantId } = of;
  const made = work.filter((one) => one.kind === "create");
  if (made.length === 0) return;
  await repo.insertUsers(tx, {
    users: made.map(({ userId, username, from }) => ({
      tenantId,
      id: userId,
      username,
      usernameKey: usernameKey(username),
      ...profileOf(from),
      enabled: from.enabled,
      createdAt: from.createdAt ?? now,
      updatedAt: now,
    })),
    emails: made.map(({ userId, from }) => ({
      tenantId,
      id: newId("email"),
      userId,
      address: from.email,
      addressKey: from.emailKey,
      isPrimary: true,
      verifiedAt: from.emailVerified ? now : null,
      createdAt: from.createdAt ?? now,
    })),
    passwords: made.flatMap(({ userId, from }) =>
      from.passwordHash === undefined ? [] : { tenantId, userId, hash: from.passwordHash, changedAt: now },
    ),
  });
  await note(tx, of, now, made, "user.created", ({ username, from }) => ({
    username,
    email: from.email,
    enabled: from.enabled,
    import: of.id,
  }));
}

const profileOf = ({ givenName, familyName, picture, locale, zoneinfo }: Candidate) => ({
  givenName,
  familyName,
  picture,
  locale,
  zoneinfo,
});

/** What a row says is taken over; what it says nothing of stays, and so does a password that there is. */
async function update(tx: Executor, of: repo.UserImport, { userId, from }: Work, now: Date): Promise<void> {
  const { tenantId } = of;
  const said = Object.fromEntries(Object.entries(profileOf(from)).filter(([, value]) => value !== null));
  const verified = from.emailVerified ? { addressKey: from.emailKey, at: now } : undefined;
  await repo.changeUser(tx, { tenantId, userId }, { ...said, updatedAt: now }, verified);
  const { passwordHash: hash } = from;
  const first =
    hash !== undefined && (await repo.addPassword(tx, { tenantId, userId, hash, changedAt: now }));
  const members = [
    ...Object.keys(said),
    ...(verified ? ["emailVerified"] : []),
    ...(first ? ["password"] : []),
  ];
  await note(tx, of, now, [{ userId }], "user.updated", () => ({ members, import: of.id }));
}

async function addMemberships(
  tx: Executor,
  of: repo.UserImport,
  work: readonly Work[],
  { roles, groups }: Allowed,
  now: Date,
): Promise<void> {
  const { tenantId } = of;
  const given = work.flatMap(({ userId, from }) =>
    from.roles.flatMap((name) => {
      const roleId = roles.get(name);
      return roleId ? { tenantId, userId, roleId, createdAt: now } : [];
    }),
  );
  const joined = work.flatMap(({ userId, from }) =>
    from.groups.flatMap((name) => {
      const groupId = groups.get(name);
      return groupId ? { tenantId, userId, groupId, createdAt: now } : [];
    }),
  );
  for (const some of slices(joined)) await repo.addToGroups(tx, some);
  const added: { userId: Id<"user">; roleId: Id<"role"> }[] = [];
  for (const some of slices(given)) added.push(...(await repo.addRoles(tx, some)));
  const nameOf = new Map([...roles].map(([name, id]) => [id, name]));
  const rolesOf = Map.groupBy(added, ({ userId }) => userId);
  const changed = [...rolesOf].map(([userId, mine]) => ({
    userId,
    roles: mine.map(({ roleId }) => nameOf.get(roleId) ?? roleId),
  }));
  await note(tx, of, now, changed, "role.assigned", (one) => ({ roles: one.roles, import: of.id }));
}

async function note<One extends { readonly userId: Id<"user"> }>(
  tx: Executor,
  { tenantId, id, requestedBy }: repo.UserImport,
  now: Date,
  ones: readonly One[],
  type: audit.AuditEventType,
  detailsOf: (one: One) => Record<string, unknown>,
): Promise<void> {
  if (ones.length === 0) return;
  await audit.record(
    tx,
    ...ones.map((one) => ({
      tenantId,
      type,
      actor: { type: "user" as const, id: requestedBy },
      target: { type: "user" as const, id: one.userId },
      details: detailsOf(one),
      context: { requestId: id, ip: undefined, userAgent: undefined },
      now,
    })),
  );
}
