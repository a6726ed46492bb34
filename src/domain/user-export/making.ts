/** The worker's half of exports: a page of users is in memory at a time, however many there are. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { csvLine } from "../../lib/csv.ts";
import type { Id } from "../../lib/ids.ts";
import { type AdministeredUser, eachUserPage } from "../user-administration/service.ts";
import { writeFile } from "./files.ts";
import { filterOf } from "./model.ts";
import * as repo from "./repo.ts";

export const KEPT_SECONDS = 7 * 86_400;

/** Makes an export that was asked for, unless it is made already. Safe to repeat and to run twice at once. */
export async function makeExport(deps: Deps, tenantId: Id<"tenant">, id: Id<"userExport">): Promise<void> {
  const found = await repo.findExport(deps.db, { tenantId, id });
  if (!found || found.status === "done") return;
  await repo.updateOpenExport(deps.db, found, { status: "running", users: 0 });
  let users = 0;
  const chunks = exportOf(deps, found, async (written) => {
    users = written;
    await repo.updateOpenExport(deps.db, found, { users });
  });
  const bytes = await writeFile(deps, found, chunks);
  const now = deps.clock.now();
  await repo.updateOpenExport(deps.db, found, {
    status: "done",
    users,
    bytes,
    completedAt: now,
    expiresAt: addSeconds(now, KEPT_SECONDS),
  });
}

/** Says that nobody tries to make it any more. */
export async function failExport(deps: Deps, tenantId: Id<"tenant">, id: Id<"userExport">): Promise<void> {
  const changes = { status: "failed", completedAt: deps.clock.now() } as const;
  await repo.updateOpenExport(deps.db, { tenantId, id }, changes);
}

/** @param onPage told how many users have been written so far */
async function* exportOf(
  deps: Deps,
  { tenantId, format, filter: stored, includePasswordHashes: hashes }: repo.UserExport,
  onPage: (users: number) => Promise<void>,
): AsyncGenerator<string> {
  const { filter, search } = filterOf(stored);
  let written = 0;
  if (format === "csv") yield csvLine(columnsOf(hashes));
  for await (const page of eachUserPage(deps, tenantId, filter, search)) {
    const ids = page.map(({ id }) => id);
    const belongings = await repo.findBelongings(deps.db, tenantId, ids, { hashes });
    const rows = page.map((user) => exportedUser(user, belongings.get(user.id), hashes));
    yield rows.map((row) => (format === "csv" ? csvRow(row, hashes) : `${JSON.stringify(row)}\n`)).join("");
    written += page.length;
    await onPage(written);
  }
}

/** By the names that an import goes by. */
function exportedUser(user: AdministeredUser, own: repo.Belongings | undefined, hashes: boolean) {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.emailVerified,
    given_name: user.givenName,
    family_name: user.familyName,
    picture: user.picture,
    locale: user.locale,
    zoneinfo: user.zoneinfo,
    enabled: user.enabled,
    roles: own?.roles ?? [],
    groups: own?.groups ?? [],
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
    last_login_at: user.lastLoginAt?.toISOString() ?? null,
    ...(hashes ? { password_hash: own?.passwordHash ?? null } : {}),
  };
}

type ExportedUser = ReturnType<typeof exportedUser>;

const columns = [
  "id",
  "username",
  "email",
  "email_verified",
  "given_name",
  "family_name",
  "picture",
  "locale",
  "zoneinfo",
  "enabled",
  "roles",
  "groups",
  "created_at",
  "updated_at",
  "last_login_at",
] as const;

const columnsOf = (hashes: boolean): (keyof ExportedUser)[] => [
  ...columns,
  ...(hashes ? (["password_hash"] as const) : []),
];

const csvRow = (row: ExportedUser, hashes: boolean) =>
  csvLine(
    columnsOf(hashes).map((column) => {
      const value = row[column] ?? null;
      if (typeof value === "boolean") return String(value);
      return typeof value === "string" || value === null ? value : value.join(";");
    }),
  );
