import { defineCommand } from "citty";
import { createTenant, issuerOf, updateTenantSettings } from "../domain/tenants/service.ts";
import { checkSettings } from "../domain/tenants/settings.ts";
import { fail, valuesOf } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const create = defineCommand({
  meta: { name: "create", description: "Creates a tenant with its own users, keys and clients" },
  args: {
    slug: {
      type: "string",
      required: true,
      description: "its name in paths: lower-case letters, digits, hyphens",
    },
    name: { type: "string", required: true, description: "its name for people" },
    domain: {
      type: "string",
      valueHint: "domain...",
      description: "a host name that leads to it; may be repeated",
    },
    json: { type: "boolean", description: "print JSON" },
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const tenant = await createTenant(deps, {
        slug: args.slug,
        name: args.name,
        domains: valuesOf(rawArgs, "domain"),
      });
      const result = { id: tenant.id, slug: tenant.slug, issuer: issuerOf(tenant, deps.config.publicUrl) };
      console.log(args.json ? JSON.stringify(result) : `Created ${result.id}\nIssuer: ${result.issuer}`);
    }),
});

const configure = defineCommand({
  meta: { name: "configure", description: "Changes settings of a tenant, and shows all of them" },
  args: {
    set: {
      type: "string",
      valueHint: "name=value...",
      description: "a setting, its value as JSON or a word; may be repeated",
    },
    tenant: tenantArgument,
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const given = Object.fromEntries(valuesOf(rawArgs, "set").map(readSetting));
      const changes = checkSettings(given);
      if (Object.keys(changes).length > 0) await updateTenantSettings(deps, tenant, changes);
      console.log(JSON.stringify({ ...tenant.settings, ...changes }));
    }),
});

function readSetting(text: string): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) return fail("--set needs name=value");
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

export default defineCommand({
  meta: { name: "tenants", description: "Creates and configures tenants" },
  subCommands: { create, configure },
});
