import { eq, sql } from "drizzle-orm";
import { type Database, type Executor, parameter, prepared } from "../../db/client.ts";
import { tenantDomains, tenants } from "../../db/schema/index.ts";
import type { Id } from "../../lib/ids.ts";
import type { Tenant } from "./model.ts";
import { parseSettings } from "./settings.ts";

const columns = {
  id: tenants.id,
  slug: tenants.slug,
  name: tenants.name,
  isDefault: tenants.isDefault,
  settings: tenants.settings,
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
