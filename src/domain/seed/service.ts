/**
 * Fills an installation with invented users and events, as many as a large one has: to try it, and to measure it. What
 * comes about is what registering and signing in would have written.
 */
import type { Deps } from "../../deps.ts";
import { conflict } from "../../lib/errors.ts";
import { type Id, idFromUuid, uuidFromId } from "../../lib/ids.ts";
import type { Administrator } from "../administrators/service.ts";
import * as audit from "../audit/service.ts";
import { createOrganization, listOrganizations } from "../organizations/service.ts";
import { systemContext } from "../request-context.ts";
import { createRole } from "../roles/administration.ts";
import { findRoles } from "../roles/service.ts";
import { createTenant, findDefaultTenant, findTenantBySlug, type Tenant } from "../tenants/service.ts";
import { emailKey, usernameKey } from "../users/service.ts";
import { eventOf } from "./events.ts";
import { personOf } from "./people.ts";
import * as repo from "./repo.ts";

const DAY_MS = 86_400_000;
/** Over so many days users came. */
const USERS_DAYS = 730;
/** Over so many days events happened: within the year that a tenant keeps them, if it keeps what all keep. */
const EVENTS_DAYS = 350;
const USERS_AT_ONCE = 20_000;
const EVENTS_AT_ONCE = 25_000;
/** Of whom a tenant's events tell. */
const PEOPLE_IN_EVENTS = 100_000;
const ORGANIZATIONS = 10;

const roles = [
  { name: "employee", description: "Works here", permissions: [] },
  { name: "manager", description: "Leads others who work here", permissions: ["reports:read"] },
  { name: "auditor", description: "Looks at what others do", permissions: ["audit:read"] },
];

const by: Administrator = { actor: { type: "system" }, context: systemContext, superAdmin: false };

export interface SeedRequest {
  readonly users: number;
  /** Over which they are spread evenly: the default tenant, and others that are made where they are missing. */
  readonly tenants: number;
  readonly auditEvents: number;
  /** What all seeded users sign in with. */
  readonly password: string;
  /** Whether to go on where an earlier seeding ended. */
  readonly add: boolean;
}

/** Told how many of all there are by now. */
export type SeedProgress = (what: "tenants" | "users" | "audit events", done: number, of: number) => void;

/** @throws AppError 409 without a default tenant, and, unless to `add`, where there are seeded users already */
export async function seed(deps: Deps, request: SeedRequest, progress: SeedProgress): Promise<void> {
  const tenants = await tenantsFor(deps, request.tenants, progress);
  const places = [];
  for (const tenant of tenants) {
    const last = await repo.highestNumber(deps.db, tenant.id);
    if (last > 0 && !request.add && request.users > 0)
      throw conflict(`The tenant ${tenant.slug} has seeded users already. Say --add for more of them.`);
    places.push({ tenant, last });
  }
  const hash = await deps.passwords.hash(request.password);
  let users = 0;
  for (const [at, { tenant, last }] of places.entries()) {
    const count = shareOf(request.users, tenants.length, at);
    if (count > 0)
      await seedUsers(deps, tenant, { first: last + 1, count, hash }, (made) => {
        progress("users", users + made, request.users);
      });
    users += count;
  }
  let events = 0;
  for (const [at, { tenant }] of places.entries()) {
    const count = shareOf(request.auditEvents, tenants.length, at);
    if (count > 0)
      await seedEvents(deps, tenant, count, (made) => {
        progress("audit events", events + made, request.auditEvents);
      });
    events += count;
  }
  await repo.analyze(deps.db);
}

/** All add up to `all`, and differ by one at most. */
const shareOf = (all: number, parts: number, part: number) =>
  Math.floor((all * (part + 1)) / parts) - Math.floor((all * part) / parts);

async function tenantsFor(deps: Deps, count: number, progress: SeedProgress): Promise<Tenant[]> {
  const first = await findDefaultTenant(deps);
  if (!first) throw conflict("There is no tenant yet: run `gatewright start` first.");
  const tenants = [first];
  while (tenants.length < count) {
    const number = tenants.length + 1;
    const slug = `seed-${number}`;
    const found = await findTenantBySlug(deps, slug);
    tenants.push(found ?? (await createTenant(deps, { slug, name: `Seeded tenant ${number}` })));
    progress("tenants", number, count);
  }
  return tenants;
}

async function seedUsers(
  deps: Deps,
  tenant: Tenant,
  { first, count, hash }: { first: number; count: number; hash: string },
  progress: (made: number) => void,
): Promise<void> {
  const belongings = {
    roles: await rolesOf(deps, tenant.id),
    organizations: await organizationsOf(deps, tenant.id),
  };
  const now = deps.clock.now();
  for (let made = 0; made < count;) {
    const size = Math.min(USERS_AT_ONCE, count - made);
    const from = first + made;
    const users = Array.from({ length: size }, (_, at) => userRow(from + at, belongings, now.getTime()));
    await repo.copyUsers(deps.db, tenant.id, users, hash);
    made += size;
    progress(made);
  }
  await audit.record(deps.db, {
    tenantId: tenant.id,
    type: "users.seeded",
    actor: by.actor,
    target: { type: "tenant", id: tenant.id },
    details: { users: count, first },
    context: by.context,
    now,
  });
}

interface Belongings {
  /** uuids */
  readonly roles: readonly string[];
  readonly organizations: readonly string[];
}

function userRow(number: number, { roles: given, organizations }: Belongings, now: number): repo.UserRow {
  const person = personOf(number, organizations.length);
  const before = (share: number) => new Date(now - Math.floor(share * USERS_DAYS * DAY_MS));
  const createdAt = before(person.madeBefore);
  const { username, email, givenName, familyName, locale, zoneinfo, enabled } = person;
  return {
    id: Bun.randomUUIDv7("hex", createdAt),
    emailId: Bun.randomUUIDv7("hex", createdAt),
    username,
    usernameKey: usernameKey(username),
    email,
    emailKey: emailKey(email),
    givenName,
    familyName,
    locale,
    zoneinfo,
    enabled,
    createdAt: createdAt.toISOString(),
    lastLoginAt: person.signedInBefore === undefined ? null : before(person.signedInBefore).toISOString(),
    verifiedAt: person.emailVerified ? createdAt.toISOString() : null,
    roleId: person.role === undefined ? null : (given[person.role] ?? null),
    organizationId: person.organization === undefined ? null : (organizations[person.organization] ?? null),
  };
}

async function rolesOf(deps: Deps, tenantId: Id<"tenant">): Promise<string[]> {
  const known = await findRoles(deps.db, tenantId);
  const ids: string[] = [];
  for (const role of roles) {
    const { id } =
      known.find(({ name }) => name === role.name) ?? (await createRole(deps, tenantId, role, by));
    ids.push(uuidFromId("role", id));
  }
  return ids;
}

async function organizationsOf(deps: Deps, tenantId: Id<"tenant">): Promise<string[]> {
  const known = await listOrganizations(deps, tenantId);
  const ids: string[] = [];
  for (let number = 1; number <= ORGANIZATIONS; number++) {
    const slug = `seed-${number}`;
    const { id } =
      known.find((organization) => organization.slug === slug) ??
      (await createOrganization(deps, tenantId, { slug, name: `Seeded company ${number}` }, by));
    ids.push(uuidFromId("organization", id));
  }
  return ids;
}

/** In the order in which they happened: a seal is over events of one month. */
async function seedEvents(
  deps: Deps,
  tenant: Tenant,
  count: number,
  progress: (made: number) => void,
): Promise<void> {
  const uuids = await repo.someUsers(deps.db, tenant.id, PEOPLE_IN_EVENTS);
  const people = uuids.map((uuid) => idFromUuid("user", uuid));
  if (people.length === 0)
    throw conflict(`The tenant ${tenant.slug} has no users that events could be about.`);
  const end = deps.clock.now().getTime();
  const start = end - EVENTS_DAYS * DAY_MS;
  for (let at = start; at < end + 31 * DAY_MS; at += 27 * DAY_MS)
    await repo.ensureAuditPartition(deps.db, new Date(Math.min(at, end)));
  for (let made = 0; made < count;) {
    const size = Math.min(EVENTS_AT_ONCE, count - made);
    const moment = (place: number) => new Date(start + Math.floor(((end - start) * (made + place)) / count));
    const events = Array.from({ length: size }, (_, place) => eventOf(made + place, moment(place), people));
    await repo.copyEvents(deps.db, tenant.id, events);
    made += size;
    progress(made);
  }
}
