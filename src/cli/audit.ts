import { defineCommand } from "citty";
import type { Deps } from "../deps.ts";
import { exportSeals, readExportedSeals } from "../domain/audit-seals/export.ts";
import { sealAuditTrails } from "../domain/audit-seals/service.ts";
import { type Verification, verifyAuditTrail } from "../domain/audit-seals/verification.ts";
import { listTenantSlugs } from "../domain/audit-seals/tenants.ts";
import type { Id } from "../lib/ids.ts";
import { fail } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

interface Checked {
  readonly slug: string;
  readonly result: Verification;
}

const verify = defineCommand({
  meta: {
    name: "verify",
    description: "Reads the audit trail again and names the first batch of it that is not what was sealed",
  },
  args: {
    tenant: { type: "string", description: "only the tenant of this slug (default: all tenants)" },
    seals: {
      type: "string",
      valueHint: "file",
      description: "also compare with seals that were shipped off the host (gatewright audit seals)",
    },
    json: { type: "boolean", description: "print JSON" },
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const copies = args.seals === undefined ? "" : await readFile(args.seals);
      const checked: Checked[] = [];
      for (const { id, slug } of await tenantsOf(deps, args.tenant)) {
        checked.push({ slug, result: await verifyAuditTrail(deps, id, readCopies(copies, id)) });
      }
      console.log(args.json ? JSON.stringify(checked.map(toJson), null, 2) : checked.map(toText).join("\n"));
      const bad = checked.find(({ result }) => result.bad);
      if (bad)
        fail(`the audit trail of tenant ${bad.slug} is not what was sealed: batch ${bad.result.bad?.number}`);
    }),
});

const seals = defineCommand({
  meta: { name: "seals", description: "Seals what is not sealed yet, or ships the seals off the host" },
  args: {
    export: { type: "boolean", description: "print the tenant's keys and seals, a line of JSON each" },
    after: { type: "string", valueHint: "number", description: "only seals after this one" },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      if (!args.export) {
        const { batches, events, failed } = await sealAuditTrails(deps);
        console.log(`Sealed ${events} events in ${batches} batches`);
        if (failed > 0) fail(`${failed} tenants' trails could not be sealed: see the log`);
        return;
      }
      const after = Number(args.after ?? 0);
      if (!Number.isSafeInteger(after) || after < 0) fail("--after must be a seal's number");
      const tenant = await requireTenant(deps, args.tenant);
      for await (const line of exportSeals(deps, tenant.id, after)) console.log(line);
    }),
});

export default defineCommand({
  meta: { name: "audit", description: "Proves that the audit trail is what was written" },
  subCommands: { verify, seals },
});

async function tenantsOf(
  deps: Deps,
  slug: string | undefined,
): Promise<readonly { id: Id<"tenant">; slug: string }[]> {
  return slug === undefined ? listTenantSlugs(deps) : [await requireTenant(deps, slug)];
}

async function readFile(path: string): Promise<string> {
  const file = Bun.file(path);
  return (await file.exists()) ? file.text() : fail(`there is no file ${path}`);
}

function readCopies(text: string, tenantId: Id<"tenant">): ReadonlyMap<number, string> {
  try {
    return readExportedSeals(text, tenantId);
  } catch {
    return fail("--seals must name a file that `gatewright audit seals --export` wrote");
  }
}

function toJson({ slug, result }: Checked) {
  const { seals: count, events, droppedMonths, bad, unsealed } = result;
  return {
    tenant: slug,
    ok: bad === undefined,
    seals: count,
    events,
    dropped_months: droppedMonths,
    unsealed_events: unsealed.events,
    oldest_unsealed: unsealed.oldest?.toISOString() ?? null,
    first_bad_batch: bad
      ? {
          number: bad.number,
          fault: bad.fault,
          sealed_at: bad.sealedAt,
          expected_events: bad.expectedEvents,
          found_events: bad.foundEvents,
        }
      : null,
  };
}

function toText({ slug, result }: Checked): string {
  const { seals: count, events, bad, unsealed } = result;
  const verdict = bad
    ? `BAD: batch ${bad.number}: ${bad.fault.replaceAll("_", " ")}${bad.sealedAt ? `, sealed at ${bad.sealedAt}` : ""}`
    : "ok";
  return `${slug}  ${verdict}  (${count} seals, ${events} events verified, ${unsealed.events} not sealed yet)`;
}
