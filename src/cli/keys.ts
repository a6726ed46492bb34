import { defineCommand } from "citty";
import { proveKeysAnew } from "../domain/audit-seals/keys.ts";
import { keyRingOf } from "../domain/keys/service.ts";
import {
  isSigningAlgorithm,
  type KeySummary,
  listKeys,
  resealKeys,
  revokeKey,
  rotateKey,
  type SigningAlgorithm,
  signingAlgorithms,
} from "../domain/keys/rotation.ts";
import { resealMfaSecrets } from "../domain/mfa/reseal.ts";
import { resealConnectionSecrets } from "../domain/connections/reseal.ts";
import { resealUpstreamTokens } from "../domain/external-accounts/reseal.ts";
import { resealAllWebhookSecrets } from "../domain/webhooks/service.ts";
import { isId } from "../lib/ids.ts";
import { MasterKeyError } from "../lib/master-keys.ts";
import { fail } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const list = defineCommand({
  meta: { name: "list", description: "Lists a tenant's signing keys, newest first" },
  args: { tenant: tenantArgument, json: { type: "boolean", description: "print JSON" } },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const keys = await listKeys(deps, await requireTenant(deps, args.tenant));
      console.log(args.json ? JSON.stringify(keys.map(toJson), null, 2) : toTable(keys));
    }),
});

const rotate = defineCommand({
  meta: {
    name: "rotate",
    description: "Publishes the next signing keys; they sign a day later, unless --now says otherwise",
  },
  args: {
    alg: {
      type: "string",
      valueHint: "alg",
      description: `only this algorithm: ${signingAlgorithms.join(", ")} (default: all that the tenant has)`,
    },
    now: {
      type: "boolean",
      description: "sign with them at once: verifiers that keep the old JWK set have to fetch it again",
    },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const algorithms =
        args.alg === undefined ? (await keyRingOf(deps, tenant.id)).algorithms : [parseAlgorithm(args.alg)];
      for (const alg of algorithms) {
        const { id, activeFrom } = await rotateKey(deps, tenant, alg, { atOnce: args.now ?? false });
        console.log(`${alg}  ${id} signs from ${activeFrom.toISOString()}`);
      }
    }),
});

const revoke = defineCommand({
  meta: {
    name: "revoke",
    description: "Revokes a key that somebody else may hold: all tokens that it signed stop working at once",
  },
  args: {
    kid: { type: "positional", required: true, description: "the key's id, as `keys list` shows it" },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const { kid } = args;
      if (!isId("signingKey", kid)) fail("this is not a key's id (gatewright keys list)");
      const tenant = await requireTenant(deps, args.tenant);
      const { replacedBy } = await revokeKey(deps, tenant, kid);
      console.log(`Revoked ${kid}`);
      if (replacedBy) console.log(`${replacedBy} signs in its place`);
    }),
});

const reseal = defineCommand({
  meta: {
    name: "reseal",
    description:
      "Seals all tenants' signing keys and the secrets of second factors, webhooks and connections under the first of the master keys in GATEWRIGHT_MASTER_KEY",
  },
  run: () =>
    withDeps(async (deps) => {
      try {
        const count = await resealKeys(deps);
        const under = deps.config.masterKeys[0].id;
        console.log(`${count} ${count === 1 ? "key" : "keys"} sealed anew under master key "${under}"`);
        const secrets = await resealMfaSecrets(deps);
        console.log(`${secrets} ${secrets === 1 ? "secret" : "secrets"} of second factors sealed anew`);
        const receivers = await resealAllWebhookSecrets(deps);
        console.log(`${receivers} ${receivers === 1 ? "webhook" : "webhooks"} sealed anew`);
        const connections = await resealConnectionSecrets(deps);
        console.log(`${connections} ${connections === 1 ? "connection" : "connections"} sealed anew`);
        const accounts = await resealUpstreamTokens(deps);
        console.log(`tokens of ${accounts} ${accounts === 1 ? "account" : "accounts"} elsewhere sealed anew`);
        const proven = await proveKeysAnew(deps);
        console.log(`${proven} ${proven === 1 ? "key" : "keys"} of audit seals proven anew`);
      } catch (error) {
        if (!(error instanceof MasterKeyError)) throw error;
        fail(`a key cannot be opened: ${error.message}`);
      }
    }),
});

export default defineCommand({
  meta: { name: "keys", description: "Lists, rotates and revokes the keys that sign tokens" },
  subCommands: { list, rotate, revoke, reseal },
});

function parseAlgorithm(text: string): SigningAlgorithm {
  return isSigningAlgorithm(text) ? text : fail(`--alg must be one of: ${signingAlgorithms.join(", ")}`);
}

function toJson(key: KeySummary) {
  return {
    kid: key.id,
    alg: key.alg,
    state: key.state,
    created_at: key.createdAt.toISOString(),
    active_from: key.activeFrom.toISOString(),
    retired_at: key.retiredAt?.toISOString() ?? null,
  };
}

function toTable(keys: readonly KeySummary[]): string {
  const header = ["KID", "ALG", "STATE", "SIGNS FROM", "PUBLISHED UNTIL"];
  const rows = keys.map((key) => [
    key.id,
    key.alg,
    key.state,
    key.activeFrom.toISOString(),
    key.retiredAt?.toISOString() ?? "",
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return [header, ...rows].map((row) => line(row).trimEnd()).join("\n");
}
