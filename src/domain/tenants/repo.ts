import { and, asc, count, desc, eq, gt, like, lt, or, type SQL, sql } from "drizzle-orm";
import { type Database, type Executor, moment, parameter, prepared } from "../../db/client.ts";
import { tenantDomains, tenants } from "../../db/schema/index.ts";
import { type Id, isId, uuidFromId } from "../../lib/ids.ts";
import { COUNTED_AT_MOST, type PageRequest, pageOf, type PageResult } from "../../lib/page.ts";
import type { Tenant } from "./model.ts";
import { parseSettings } from "./settings.ts";

const columns = {
  id: tenants.id,
  slug: tenants.slug,
  name: tenants.name,
  isDefault: tenants.isDefault,
  settings: tenants.settings,
  pairwiseSalt: tenants.pairwiseSalt,
  domains: sql<string[]>`array(select d.domain from tenant_domains d
    where d.tenant_id = tenants.id order by d.created_at, d.domain)`,
};

const byId = prepared((db) =>
  db
    .select(columns)
    .from(tenants)
    .where(eq(tenants.id, parameter(tenants.id, "id")))
    .prepare("tenant_by_id"),
);
const bySlug = prepared((db) =>
  db
    .select(columns)
    .from(tenants)
    .where(eq(tenants.slug, parameter(tenants.slug, "slug")))
    .prepare("tenant_by_slug"),
);
const theDefault = prepared((db) =>
  db.select(columns).from(tenants).where(eq(tenants.isDefault, true)).limit(1).prepare("tenant_default"),
);

type Row = Omit<Tenant, "settings"> & { settings: Record<string, unknown> };

export const findById = async (db: Database, id: Id<"tenant">) => toTenant(await byId(db).execute({ id }));
export const findBySlug = async (db: Database, slug: string) => toTenant(await bySlug(db).execute({ slug }));
/** Every domain with its tenant: as many as there are tenants that have one. */
export async function findAllDomains(db: Database): Promise<ReadonlyMap<string, Id<"tenant">>> {
  const rows = await db
    .select({ domain: tenantDomains.domain, tenantId: tenantDomains.tenantId })
    .from(tenantDomains);
  return new Map(rows.map(({ domain, tenantId }) => [domain, tenantId]));
}
export const findDefault = async (db: Database) => toTenant(await theDefault(db).execute());

function toTenant([row]: Row[]): Tenant | undefined {
  return row && { ...row, settings: parseSettings(row.settings) };
}

export async function insertTenant(
  executor: Executor,
  tenant: {
    id: Id<"tenant">;
    slug: string;
    name: string;
    isDefault: boolean;
    domains: readonly string[];
    now: Date;
  },
): Promise<void> {
  const { domains, now, ...row } = tenant;
  await executor.insert(tenants).values({ ...row, createdAt: now, updatedAt: now });
  if (domains.length === 0) return;
  await executor
    .insert(tenantDomains)
    .values(domains.map((domain) => ({ domain, tenantId: tenant.id, createdAt: now })));
}

export async function updateSettings(
  executor: Executor,
  id: Id<"tenant">,
  settings: Record<string, unknown>,
  now: Date,
): Promise<void> {
  await executor
    .update(tenants)
    .set({ settings: sql`${tenants.settings} || ${JSON.stringify(settings)}::jsonb`, updatedAt: now })
    .where(eq(tenants.id, id));
}

/** A tenant with what only its administrators ask for. */
export type TenantRecord = Tenant & { readonly createdAt: Date; readonly updatedAt: Date };

const record = { ...columns, createdAt: tenants.createdAt, updatedAt: tenants.updatedAt };

export async function findRecord(executor: Executor, id: Id<"tenant">): Promise<TenantRecord | undefined> {
  const [row] = await executor.select(record).from(tenants).where(eq(tenants.id, id));
  return row && { ...row, settings: parseSettings(row.settings) };
}

/** Keeps others from changing the tenant until the transaction ends. @returns whether it is there */
export async function lockTenant(executor: Executor, id: Id<"tenant">): Promise<boolean> {
  const rows = await executor
    .select({ id: tenants.id })
    .from(tenants)
    .where(eq(tenants.id, id))
    .for("no key update");
  return rows.length > 0;
}

export type TenantSort = "created_at" | "name" | "slug";

/** @param page whose `after.value` is a moment for created_at */
export async function listTenants(
  db: Database,
  page: PageRequest<TenantSort>,
  only: Id<"tenant"> | undefined,
): Promise<PageResult<TenantRecord>> {
  const pattern = page.search && `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const holds = (text: SQL) => like(sql`lower(${text})`, sql`lower(${pattern}::text)`);
  const matching = and(
    only && eq(tenants.id, only),
    pattern === undefined ? undefined : or(holds(sql`${tenants.name}`), holds(sql`${tenants.slug}`)),
  );
  const column = { created_at: tenants.createdAt, name: tenants.name, slug: tenants.slug }[page.sort];
  const direction = page.order === "asc" ? asc : desc;
  const [rows, [counted]] = await Promise.all([
    db
      .select(record)
      .from(tenants)
      .where(and(matching, following(page)))
      .orderBy(direction(column), direction(tenants.id))
      .limit(page.limit + 1),
    db
      .select({ total: count() })
      .from(
        db.select({ id: tenants.id }).from(tenants).where(matching).limit(COUNTED_AT_MOST).as("matching"),
      ),
  ]);
  const read = rows.map((row) => ({ ...row, settings: parseSettings(row.settings) }));
  return pageOf(read, page.limit, counted?.total ?? 0);
}

function following({ after, sort, order }: PageRequest<TenantSort>): SQL | undefined {
  if (!after || !isId("tenant", after.id)) return undefined;
  const uuid = sql`${uuidFromId("tenant", after.id)}::uuid`;
  const beyond = order === "asc" ? gt : lt;
  if (sort === "created_at")
    return beyond(
      sql`(${tenants.createdAt}, ${tenants.id})`,
      sql`(${moment(new Date(after.value))}, ${uuid})`,
    );
  const column = sort === "name" ? tenants.name : tenants.slug;
  return beyond(sql`(${column}, ${tenants.id})`, sql`(${after.value}::text, ${uuid})`);
}

export async function renameTenant(
  executor: Executor,
  id: Id<"tenant">,
  name: string,
  now: Date,
): Promise<void> {
  await executor.update(tenants).set({ name, updatedAt: now }).where(eq(tenants.id, id));
}

/** In their order: the first is the issuer's. */
export async function replaceDomains(
  executor: Executor,
  tenantId: Id<"tenant">,
  domains: readonly string[],
  now: Date,
): Promise<void> {
  await executor.delete(tenantDomains).where(eq(tenantDomains.tenantId, tenantId));
  if (domains.length === 0) return;
  await executor.insert(tenantDomains).values(
    domains.map((domain, place) => ({
      domain,
      tenantId,
      createdAt: new Date(now.getTime() + place),
    })),
  );
}

/** With all that belongs to it. */
export async function deleteTenant(executor: Executor, id: Id<"tenant">): Promise<void> {
  await executor.delete(tenants).where(eq(tenants.id, id));
}
