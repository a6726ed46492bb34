/** A stolen database: what is in it must not work anywhere (CWE-256, CWE-312, CWE-522). */
import { createPrivateKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { Secret } from "otpauth";
import { loadConfig } from "../../src/config.ts";
import { createDeps } from "../../src/deps.ts";
import { keyRingOf } from "../../src/domain/keys/service.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { totpCode, verifyTotp } from "../support/mfa.ts";
import { administrator, postJson, startTestServer, type TestServer } from "../support/server.ts";
import { pendingLogin, victimWithTotp } from "./mfa-support.ts";
import {
  createApp,
  createOtherTenant,
  exchangeCode,
  login,
  obtainCode,
  PASSWORD,
  refresh,
  signedIn,
  tokenRequest,
  tokensOf,
} from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** The text of every row of every table, a bytea column in each way that somebody might read it. */
async function everything(): Promise<{ table: string; text: string }[]> {
  const sql = server.deps.db.$client;
  const tables = await sql`select table_schema as schema, table_name as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`;
  const rows = await Promise.all(
    tables.map(async ({ schema, name }) => {
      const found = await sql`select * from ${sql(`${schema}.${name}`)} as t`;
      return found.map((row) => ({
        table: `${schema}.${name}`,
        text: Object.values(row).map(readings).join("\n"),
      }));
    }),
  );
  return rows.flat();
}

function readings(value: unknown): string {
  if (!(value instanceof Uint8Array)) return typeof value === "string" ? value : JSON.stringify(value);
  const bytes = Buffer.from(value);
  return ["latin1", "hex", "base64", "base64url"]
    .map((encoding) => bytes.toString(encoding as "hex"))
    .join("\n");
}

describe("the database after a day's work", () => {
  /** DESIGN §3, §4. Guard: lib/secret-token.ts, only digests are stored; refresh.ts seals the successor. */
  it("holds no password, token, code, secret or cookie", async () => {
    const app = await createApp(server);
    const machine = await createApp(server, { grantTypes: ["client_credentials"], redirectUris: [] });
    const { person, browser } = await signedIn(server.url);
    const verification = linkIn(await waitForMail(server, person.email));
    const native = await login(server.url, person.username);
    const unused = await obtainCode(browser, app);
    const grant = await obtainCode(browser, app, { scope: "openid offline_access" });
    const first = await tokensOf(exchangeCode(app, grant));
    const second = await tokensOf(refresh(app, first.refresh_token));
    const own = await tokensOf(tokenRequest(machine, { grant_type: "client_credentials" }));
    await postJson(`${server.url}/login`, { identifier: person.email, password: "Tried-th1s-one!" });
    await postJson(`${server.url}/forgot-password`, { email: person.email });
    const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/reset-password?"));
    const resetToken = new URL(linkIn(mail)).searchParams.get("token") ?? "";
    const [newPassword, verifyToken] = [
      "Br4nd-new-secret!",
      new URL(verification).searchParams.get("token") ?? "",
    ];
    await postJson(`${server.url}/reset-password`, { token: resetToken, new_password: newPassword });
    await server.deps.auditBuffer.flush();

    const secrets = [PASSWORD, administrator.password, "Tried-th1s-one!", newPassword];
    secrets.push(
      app.secret ?? "",
      machine.secret ?? "",
      unused.code,
      grant.code,
      grant.verifier,
      unused.verifier,
    );
    secrets.push(
      browser.cookies.get("__Host-gw_session") ?? "",
      browser.cookies.get("__Host-gw_browser") ?? "",
    );
    for (const tokens of [native, first, second, own]) {
      secrets.push(tokens.access_token, tokens.refresh_token, tokens.id_token);
    }
    const parts = secrets.filter(Boolean).flatMap((secret) => [secret, secret.slice(-43)]);
    const links = [resetToken, verifyToken].flatMap((token) => [token, token.slice(-43)]);
    const rows = await everything();
    expect(rows.length).toBeGreaterThan(30);
    for (const { table, text } of rows) {
      for (const secret of parts)
        expect([table, secret, text.includes(secret)]).toEqual([table, secret, false]);
      // The development mailbox is there to show the links; in production there is none.
      if (table === "public.mailbox_messages") continue;
      for (const secret of links)
        expect([table, secret, text.includes(secret)]).toEqual([table, secret, false]);
    }
  });

  /** Guards: domain/mfa/totp/service.ts and backup-codes/service.ts (sealWith, hmacSha256); lib/secret-token.ts. */
  it("holds no secret of a second factor", async () => {
    const { person, app } = await victimWithTotp(server);
    const pending = await pendingLogin(server.url, person);
    const answer = await verifyTotp(
      server,
      await pendingLogin(server.url, person),
      totpCode(server, app.secret),
      {
        trust_device: true,
      },
    );
    const { device_token: device } = (await answer.json()) as { device_token: string };
    const challenge = await postJson(`${server.url}/mfa/webauthn/login/begin`, {});
    const { challenge: encoded } = (await challenge.json()) as { challenge: string };
    const bytes = Buffer.from(Secret.fromBase32(app.secret).bytes);
    const secrets = [app.secret, bytes.toString("hex"), bytes.toString("base64"), bytes.toString("latin1")];
    for (const token of [pending, device, Buffer.from(encoded, "base64url").toString()]) {
      secrets.push(token.slice(-43), Buffer.from(token.slice(-43), "base64url").toString("hex"));
    }
    for (const code of app.backupCodes) secrets.push(code, code.replace("-", ""));
    const rows = await everything();
    expect(rows.filter(({ table }) => table === "public.totp_devices").length).toBeGreaterThan(0);
    expect(rows.filter(({ table }) => table === "public.backup_codes")).toHaveLength(10);
    const found = secrets.filter((secret) => rows.some(({ text }) => text.includes(secret)));
    expect(found).toEqual([]);
  });

  /** OWASP Password Storage. Guard: domain/passwords/hasher.ts, COST. */
  it("holds passwords as argon2id at the cost that OWASP asks for", async () => {
    const rows = await server.deps.db.$client`select hash from password_credentials`;
    for (const { hash } of rows) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
});

describe("the signing keys in the database", () => {
  /** DESIGN §4. Guard: domain/keys/service.ts, newKeyRow (AES-256-GCM). */
  it("are sealed: no private key can be read, and the public part holds no private member", async () => {
    const rows = await server.deps.db.$client`select * from signing_keys`;
    expect(rows.length).toBe(3);
    for (const row of rows) {
      const box = Buffer.from(row["sealed_private_key"]);
      for (const [from, to] of [
        [0, box.length],
        [12, box.length - 16],
      ] as const) {
        const der = box.subarray(from, to);
        expect(() => createPrivateKey({ key: der, format: "der", type: "pkcs8" })).toThrow();
      }
      for (const member of ["d", "p", "q", "dp", "dq", "qi", "k"])
        expect(row["public_jwk"]).not.toHaveProperty(member);
    }
    const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
      keys: object[];
    };
    for (const key of keys)
      for (const member of ["d", "p", "q", "dp", "dq", "qi", "k"]) expect(key).not.toHaveProperty(member);
  });

  const withMasterKey = (text: string) =>
    loadConfig({ NODE_ENV: "test", DATABASE_URL: server.config.databaseUrl, GATEWRIGHT_MASTER_KEY: text });

  /** Guard: lib/master-keys.ts, unsealWith: no signing without the key, and no new keys made instead. */
  it.each([
    ["another key of the same id", `1:${Buffer.alloc(32, 8).toString("base64")}`],
    ["another id", `2:${Buffer.alloc(32, 7).toString("base64")}`],
  ])("fail closed under %s", async (_, masterKey) => {
    const deps = await createDeps(withMasterKey(masterKey), { process: "cli", log: server.deps.log });
    try {
      const opened = await keyRingOf(deps, server.tenant.id).then(
        () => "opened",
        (error: Error) => error.message,
      );
      expect(opened).toMatch(/^(?:cannot open what was sealed|sealed under master key "1")/);
    } finally {
      await deps.close();
    }
  });

  /** AES-GCM's associated data. Guard: contextOf(kid): a box moved to another row does not open. */
  it("cannot be swapped, nor changed", async () => {
    const sql = server.deps.db.$client;
    await createOtherTenant(server, "swapper");
    const [first, second] = await sql`select id, tenant_id, sealed_private_key as box from signing_keys
      where alg = 'ES256' order by created_at, id`;
    if (!first || !second) throw new Error("too few keys");
    const box = Buffer.from(first["box"]);
    const changed = Buffer.from(box);
    changed.writeUInt8(changed.readUInt8(20) ^ 1, 20);
    for (const forged of [Buffer.from(second["box"]), changed, Buffer.alloc(0), box.subarray(0, 27)]) {
      await sql`update signing_keys set sealed_private_key = ${forged} where id = ${first["id"]}`;
      server.deps.caches.clear();
      const refused = await keyRingOf(server.deps, server.tenant.id).then(
        () => false,
        () => true,
      );
      expect(refused).toBe(true);
      const response = await fetch(`${server.url}/.well-known/jwks.json`);
      expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining("sealed")]);
    }
    await sql`update signing_keys set sealed_private_key = ${box} where id = ${first["id"]}`;
    server.deps.caches.clear();
    expect((await fetch(`${server.url}/.well-known/jwks.json`)).status).toBe(200);
  });
});
