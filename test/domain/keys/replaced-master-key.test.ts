/**
 * A master key is replaced by putting the new one behind the old on every machine, then in front of it, and by taking the old
 * one out when what it made has expired. Meanwhile some processes have the one in front and some the other.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createDeps, type Deps } from "../../../src/deps.ts";
import { openInteraction, sealInteraction } from "../../../src/domain/authorization/interaction.ts";
import { deriveToken, readDerivedToken } from "../../../src/lib/derived-token.ts";
import {
  downloadDataExport,
  makeDataExport,
  requestDataExport,
} from "../../../src/domain/data-exports/service.ts";
import { consumeRoundTrip, openRoundTrip } from "../../../src/domain/federation/round-trip.ts";
import { linkTokenOf, readLinkToken } from "../../../src/domain/proofs/model.ts";
import * as reports from "../../../src/domain/reports/files.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { openLogout, sealLogout } from "../../../src/domain/sessions/rp-initiated-logout.ts";
import * as userExports from "../../../src/domain/user-export/files.ts";
import { findUserById } from "../../../src/domain/users/service.ts";
import { isId, newId } from "../../../src/lib/ids.ts";
import { type MasterKeys, parseMasterKeys } from "../../../src/lib/master-keys.ts";
import { register } from "../../attacks/support.ts";
import { connectOidc } from "../../support/federation.ts";
import { scratchDirectory } from "../../support/scratch.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const OLD = `old:${Buffer.alloc(32, 1).toString("base64")}`;
const NEW = `new:${Buffer.alloc(32, 2).toString("base64")}`;
const scratch = scratchDirectory();

let server: TestServer;
/** With the old key in front, with the new one in front, and without the old one. */
const processes: Record<string, Deps> = {};
const opened: { close(): Promise<void> }[] = [];

function keysOf(text: string): MasterKeys {
  const keys = parseMasterKeys(text);
  if (!keys) throw new Error("no keys");
  return keys;
}

function depsOf(name: "old" | "new" | "after"): Deps {
  const deps = processes[name];
  if (!deps) throw new Error(`there is no process "${name}"`);
  return deps;
}

beforeAll(async () => {
  server = await startTestServer({
    env: { GATEWRIGHT_MASTER_KEY: `${OLD},${NEW}`, GATEWRIGHT_DATA_DIR: scratch.path },
  });
  for (const [name, text] of Object.entries({ old: `${OLD},${NEW}`, new: `${NEW},${OLD}`, after: NEW })) {
    const config = { ...server.config, masterKeys: keysOf(text) };
    const deps = await createDeps(config, { process: "cli", clock: server.clock, log: server.deps.log });
    processes[name] = deps;
    opened.push(deps);
  }
});
afterAll(async () => {
  for (const deps of opened) await deps.close();
  await server.stop();
});

const interaction = () => ({
  search: "client_id=x",
  delivery: { pushed: false, signed: false },
  requestedAt: server.clock.now(),
});
async function* chunksOf(text: string): AsyncGenerator<string> {
  yield text;
}
async function textOf(chunks: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  return chunks && Buffer.concat(await Array.fromAsync(chunks)).toString();
}
async function someone() {
  const { id } = await register(server.url);
  const user = isId("user", id) ? await findUserById(server.deps, server.tenant.id, id) : undefined;
  if (!user) throw new Error("nobody registered");
  return user;
}

describe.each([
  ["old", "new"],
  ["new", "old"],
] as const)("what a process with the %s key in front made, for one with the %s key in front", (from, to) => {
  const pair = () => ({ maker: depsOf(from), reader: depsOf(to), tenant: server.tenant });

  it("pending authorization and logout requests go on", () => {
    const { maker, reader, tenant } = pair();
    const sealed = sealInteraction(maker, tenant, interaction());
    expect(openInteraction(reader, tenant, sealed)).toEqual(interaction());
    expect(openLogout(reader, tenant, sealLogout(maker, tenant, "?state=x"))).toBe("?state=x");
  });

  it("mailed links work", () => {
    const { maker, reader } = pair();
    const id = newId("proof");
    expect(readLinkToken(reader, linkTokenOf(maker, id))).toBe(id);
    const deletion = newId("accountDeletion");
    const token = deriveToken(maker.secrets.links, "cancel_deletion", deletion);
    const read = (purpose: string) =>
      readDerivedToken(reader.secrets.links, purpose, "accountDeletion", token);
    expect([read("cancel_deletion"), read("another")]).toEqual([deletion, undefined]);
  });

  it("a copy of somebody's data opens", async () => {
    const { maker, reader } = pair();
    const user = await someone();
    const { id } = await requestDataExport(maker, user, systemContext);
    await maker.db.transaction((tx) => makeDataExport(maker, tx, user.tenantId, id));
    expect(JSON.parse(await downloadDataExport(reader, user, id, systemContext))).toHaveProperty(
      "generated_at",
    );
  });

  it("files of reports and of exported users open", async () => {
    const { maker, reader, tenant } = pair();
    const report = { tenantId: tenant.id, id: newId("report") };
    await reports.writeFile(maker, report, "csv", chunksOf("a,b"));
    expect(await textOf(await reports.readFile(reader, report, "csv"))).toBe("a,b");
    const exported = { tenantId: tenant.id, id: newId("userExport") };
    await userExports.writeFile(maker, exported, chunksOf("c,d"));
    expect(await textOf(await userExports.readFile(reader, exported))).toBe("c,d");
  });

  it("a sign-in at another provider comes back to the secrets that it left with", async () => {
    const { maker, reader, tenant } = pair();
    const connection = await connectOidc(server, { url: "https://idp.example" });
    const trip = { purpose: "sign_in", interaction: undefined, rememberMe: false } as const;
    const left = await openRoundTrip(maker, tenant, connection, {
      ...trip,
      userId: undefined,
      sessionId: undefined,
      samlRequestId: undefined,
      browserSecret: "browser",
    });
    const back = await consumeRoundTrip(reader, tenant, connection, left.token, "browser");
    expect(back).toMatchObject({ nonce: left.nonce, codeVerifier: left.codeVerifier });
  });
});

describe("what the old key made", () => {
  it("is nothing any more to a process without it", async () => {
    const [maker, reader] = [depsOf("old"), depsOf("after")];
    expect(
      openInteraction(reader, server.tenant, sealInteraction(maker, server.tenant, interaction())),
    ).toBeUndefined();
    expect(readLinkToken(reader, linkTokenOf(maker, newId("proof")))).toBeUndefined();
    const report = { tenantId: server.tenant.id, id: newId("report") };
    await reports.writeFile(maker, report, "csv", chunksOf("a,b"));
    await expect(textOf(await reports.readFile(reader, report, "csv"))).rejects.toThrow(
      "sealed with another key",
    );
  });
});
