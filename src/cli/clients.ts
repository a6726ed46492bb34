import { defineCommand } from "citty";
import type { Deps } from "../deps.ts";
import {
  type Client,
  type ClientSort,
  createClientFrom,
  deleteClient,
  describeClient,
  findClient,
  findClientById,
  listClients,
  rotateSecret,
  updateClient,
} from "../domain/clients/service.ts";
import { systemContext } from "../domain/request-context.ts";
import { issuerOf, type Tenant } from "../domain/tenants/service.ts";
import { isId } from "../lib/ids.ts";
import type { PageRequest } from "../lib/page.ts";
import { clientOptions, readClientOptions } from "./client-options.ts";
import { fail, valuesOf, wholeNumber } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;
const json = { type: "boolean", description: "print JSON" } as const;
const clientArgument = {
  type: "positional",
  valueHint: "client",
  description: "its id or client_id",
  required: true,
} as const;

/** A client as JSON: what the administrators' API answers. */
const show = (client: Omit<Client, "secrets">) => ({
  id: client.id,
  client_id: client.clientId,
  ...describeClient(client),
  origin: client.origin,
  created_at: client.createdAt.toISOString(),
  updated_at: client.updatedAt.toISOString(),
});

async function requireClient(deps: Deps, tenant: Tenant, name: string): Promise<Client> {
  const client = isId("client", name)
    ? await findClientById(deps, tenant.id, name)
    : await findClient(deps, tenant.id, name);
  return client ?? fail("there is no such client");
}

/** Runs on a client of a tenant, and prints what comes of it as JSON. */
function onClient(
  args: { readonly client: string; readonly tenant?: string | undefined },
  work: (deps: Deps, tenant: Tenant, client: Client) => Promise<unknown>,
): Promise<void> {
  return withDeps(async (deps) => {
    const tenant = await requireTenant(deps, args.tenant);
    console.log(JSON.stringify(await work(deps, tenant, await requireClient(deps, tenant, args.client))));
  });
}

const create = defineCommand({
  meta: { name: "create", description: "Registers an application; its secret is shown this once" },
  args: {
    ...clientOptions,
    name: { type: "string", required: true, description: "the name that people see" },
    tenant: tenantArgument,
    json,
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const description = await readClientOptions(args, rawArgs);
      const { client, clientSecret } = await createClientFrom(deps, tenant.id, description, by);
      const issuer = issuerOf(tenant, deps.config.publicUrl);
      if (args.json) {
        console.log(JSON.stringify({ ...show(client), client_secret: clientSecret, issuer }));
        return;
      }
      console.log(`Client ID:     ${client.clientId}`);
      if (clientSecret) console.log(`Client secret: ${clientSecret}   (shown this once)`);
      console.log(`Issuer:        ${issuer}`);
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "Lists applications as JSON, one a line" },
  args: {
    search: { type: "string", description: "part of a name or client_id" },
    sort: { type: "string", description: "created_at or name (default: created_at)" },
    order: { type: "string", description: "asc or desc (default: desc)" },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const sort = args.sort ?? "created_at";
      if (sort !== "created_at" && sort !== "name") return fail("--sort must be created_at or name");
      const order = args.order ?? "desc";
      if (order !== "asc" && order !== "desc") return fail("--order must be asc or desc");
      let page: PageRequest<ClientSort> = { limit: 100, sort, order, search: args.search, after: undefined };
      for (;;) {
        const { items, hasMore } = await listClients(deps, tenant.id, page);
        for (const client of items) console.log(JSON.stringify(show(client)));
        const last = items.at(-1);
        if (!last || !hasMore) return;
        const value = sort === "name" ? last.name : last.createdAt.toISOString();
        page = { ...page, after: { value, id: last.id } };
      }
    }),
});

const showOne = defineCommand({
  meta: { name: "show", description: "Shows an application as JSON" },
  args: { client: clientArgument, tenant: tenantArgument },
  run: ({ args }) => onClient(args, async (_deps, _tenant, client) => show(client)),
});

const update = defineCommand({
  meta: { name: "update", description: "Changes an application: what no option names stays as it is" },
  args: {
    client: clientArgument,
    ...clientOptions,
    unset: {
      type: "string",
      valueHint: "field...",
      description: "goes back to its default; may be repeated",
    },
    tenant: tenantArgument,
  },
  run: ({ args, rawArgs }) =>
    onClient(args, async (deps, tenant, before) => {
      const unset = Object.fromEntries(valuesOf(rawArgs, "unset").map((name) => [name, null]));
      const changes = await readClientOptions(args, rawArgs);
      const description = { ...describeClient(before), ...unset, ...changes };
      // It follows from the grants.
      const consistent = { ...description, response_types: undefined };
      const { client, clientSecret } = await updateClient(deps, tenant.id, before.id, consistent, by);
      return { ...show(client), client_secret: clientSecret };
    }),
});

const rotate = defineCommand({
  meta: { name: "rotate-secret", description: "Makes a new secret, which is shown this once" },
  args: {
    client: clientArgument,
    overlap: {
      type: "string",
      valueHint: "seconds",
      description: "for how long the old secrets still work (default: 0, they end at once)",
    },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    onClient(args, async (deps, tenant, { id }) => {
      const overlap = wholeNumber(args.overlap ?? "0", "overlap", { minimum: 0, maximum: 30 * 86_400 });
      const { client, clientSecret } = await rotateSecret(deps, tenant.id, id, overlap, by);
      return { client_id: client.clientId, client_secret: clientSecret };
    }),
});

const remove = defineCommand({
  meta: { name: "delete", description: "Ends an application, with every token that it was given" },
  args: { client: clientArgument, tenant: tenantArgument },
  run: ({ args }) =>
    onClient(args, async (deps, tenant, { id, clientId }) => {
      await deleteClient(deps, tenant.id, id, by);
      return { deleted: clientId };
    }),
});

export default defineCommand({
  meta: { name: "clients", description: "Looks after applications" },
  subCommands: { create, list, show: showOne, update, "rotate-secret": rotate, delete: remove },
});
