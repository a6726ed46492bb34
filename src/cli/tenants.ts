import { defineCommand } from "citty";
import { createTenant, issuerOf } from "../domain/tenants/service.ts";
import { valuesOf } from "./support.ts";
import { withDeps } from "./with-deps.ts";

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

export default defineCommand({
  meta: { name: "tenants", description: "Creates tenants" },
  subCommands: { create },
});
