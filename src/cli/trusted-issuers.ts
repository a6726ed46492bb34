import { defineCommand } from "citty";
import { systemContext } from "../domain/request-context.ts";
import {
  createTrustedIssuer,
  deleteTrustedIssuer,
  listTrustedIssuers,
  requireTrustedIssuer,
  subjectKinds,
  type TrustedIssuer,
  updateTrustedIssuer,
} from "../domain/trusted-issuers/service.ts";
import { type Id, isId } from "../lib/ids.ts";
import { readJson } from "./client-options.ts";
import { fail, valuesOf } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;
const idArgument = { type: "positional", description: "as list shows it", required: true } as const;

const options = {
  "jwks-uri": { type: "string", description: "where its public keys are" },
  jwks: {
    type: "string",
    valueHint: "file",
    description: "its public keys: a JSON file, instead of --jwks-uri",
  },
  "subject-kind": { type: "string", description: `what \`sub\` holds: ${subjectKinds.join(", ")}` },
  scope: {
    type: "string",
    valueHint: "scope...",
    description: "the most that its assertions can get; may be repeated",
  },
  tenant: tenantArgument,
} as const;

const show = (issuer: TrustedIssuer) => ({
  id: issuer.id,
  issuer: issuer.issuer,
  jwks: issuer.jwks,
  jwks_uri: issuer.jwksUri,
  subject_kind: issuer.subjectKind,
  scopes: issuer.scopes,
  enabled: issuer.enabled,
  created_at: issuer.createdAt.toISOString(),
  updated_at: issuer.updatedAt.toISOString(),
});

/** What the options say of its keys: the one kind replaces the other. */
async function keysOf(args: { jwks?: string | undefined; "jwks-uri"?: string | undefined }) {
  if (args.jwks === undefined && args["jwks-uri"] === undefined) return {};
  return {
    jwks: args.jwks === undefined ? null : await readJson(args.jwks, "jwks"),
    jwksUri: args["jwks-uri"] ?? null,
  };
}

const create = defineCommand({
  meta: { name: "create", description: "Trusts an issuer: its assertions get tokens (RFC 7523)" },
  args: {
    issuer: { type: "string", required: true, description: "compared with `iss` as it is" },
    ...options,
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const input = {
        issuer: args.issuer,
        ...(await keysOf(args)),
        subjectKind: args["subject-kind"] ?? "",
        scopes: valuesOf(rawArgs, "scope"),
      };
      console.log(JSON.stringify(show(await createTrustedIssuer(deps, tenant.id, input, by))));
    }),
});

const update = defineCommand({
  meta: { name: "update", description: "Changes a trusted issuer: what no option names stays as it is" },
  args: {
    id: idArgument,
    issuer: { type: "string", description: "compared with `iss` as it is" },
    ...options,
    enabled: { type: "boolean", description: "whether it is trusted; --no-enabled: for now it is not" },
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const id = requireId(args.id);
      const before = await requireTrustedIssuer(deps, tenant.id, id);
      const scopes = valuesOf(rawArgs, "scope");
      const input = {
        ...before,
        ...(await keysOf(args)),
        issuer: args.issuer ?? before.issuer,
        subjectKind: args["subject-kind"] ?? before.subjectKind,
        scopes: scopes.length > 0 ? scopes : before.scopes,
        enabled: args.enabled ?? before.enabled,
      };
      console.log(JSON.stringify(show(await updateTrustedIssuer(deps, tenant.id, id, input, by))));
    }),
});

const list = defineCommand({
  meta: { name: "list", description: "Lists trusted issuers as JSON, one a line, the newest 100" },
  args: { tenant: tenantArgument },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const { items } = await listTrustedIssuers(deps, tenant.id, {
        limit: 100,
        sort: "created_at",
        order: "desc",
        search: undefined,
        after: undefined,
      });
      for (const issuer of items) console.log(JSON.stringify(show(issuer)));
    }),
});

const remove = defineCommand({
  meta: { name: "delete", description: "Trusts an issuer no more" },
  args: { id: idArgument, tenant: tenantArgument },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      await deleteTrustedIssuer(deps, tenant.id, requireId(args.id), by);
      console.log(JSON.stringify({ deleted: args.id }));
    }),
});

function requireId(id: string): Id<"trustedIssuer"> {
  return isId("trustedIssuer", id) ? id : fail("this is no id of a trusted issuer");
}

export default defineCommand({
  meta: { name: "trusted-issuers", description: "Whose assertions are exchanged for tokens" },
  subCommands: { create, list, update, delete: remove },
});
