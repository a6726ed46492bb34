/**
 * Whoever reads the log, or provokes errors, must learn no secret (CWE-209, CWE-532). The server runs as a process of
 * its own, as it is installed, at the chattiest level; every line that it writes is looked through.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { bootstrap } from "../../src/bootstrap.ts";
import { loadConfig } from "../../src/config.ts";
import { createDeps, type Deps } from "../../src/deps.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/scratch.ts";
import { administrator, postForm, postJson } from "../support/server.ts";
import { findDefaultTenant } from "../../src/domain/tenants/service.ts";
import {
  type App,
  Browser,
  createApp,
  exchangeCode,
  obtainCode,
  PASSWORD,
  refresh,
  tokensOf,
} from "./support.ts";

const METRICS_TOKEN = "metrics-token-that-nobody-knows";
let database: TestDatabase;
let deps: Deps & { close(): Promise<void> };
let api: Bun.Subprocess<"ignore", "pipe", "pipe">;
let output: Promise<string>;
let url: string;
let app: App;
const secrets: string[] = [PASSWORD, administrator.password, METRICS_TOKEN];
const answers: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const port = freePort();
  url = `http://localhost:${port}`;
  const env = {
    NODE_ENV: "test",
    PORT: String(port),
    HOST: "localhost",
    PUBLIC_URL: url,
    DATABASE_URL: database.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
    GATEWRIGHT_ADMIN_EMAIL: administrator.email,
    GATEWRIGHT_ADMIN_PASSWORD: administrator.password,
    GATEWRIGHT_METRICS_TOKEN: METRICS_TOKEN,
    LOG_LEVEL: "trace",
  };
  secrets.push(env.GATEWRIGHT_MASTER_KEY.slice(2), new URL(database.url).password);
  const config = loadConfig({ ...env, LOG_LEVEL: "silent" });
  await bootstrap(config);
  deps = await createDeps(config, { process: "cli" });
  const tenant = await findDefaultTenant(deps);
  if (!tenant) throw new Error("no tenant");
  app = await createApp({ deps, tenant, url });
  api = Bun.spawn([process.execPath, `${import.meta.dir}/../../src/cli.ts`, "api"], {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  });
  output = Promise.all([new Response(api.stdout).text(), new Response(api.stderr).text()]).then((texts) =>
    texts.join("\n"),
  );
  await until("the server answers", () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});
afterAll(async () => {
  api.kill();
  await api.exited;
  await deps.close();
  await database.drop();
});

/** Sends something secret, and keeps what comes back. */
async function provoke(response: Promise<Response>, ...sent: string[]): Promise<void> {
  secrets.push(...sent);
  const answer = await response;
  answers.push(`${answer.url.split("?")[0]} ${[...answer.headers].join("\n")}\n${await answer.text()}`);
}

let serial = 0;
const secret = (kind: string) => `${kind}-Secret-${++serial}-Xq7!`;

async function goodDay(): Promise<void> {
  const browser = new Browser(url);
  await browser.signIn("admin", "/signin", administrator.password);
  const unused = await obtainCode(browser, app);
  const grant = await obtainCode(browser, app, { scope: "openid offline_access" });
  const first = await tokensOf(exchangeCode(app, grant));
  const second = await tokensOf(refresh(app, first.refresh_token));
  await fetch(`${url}/me?access_token=${second.access_token}`, {
    headers: { authorization: `Bearer ${second.access_token}` },
  });
  await exchangeCode(app, grant);
  await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  const form = await browser.get("/account");
  secrets.push(/name="csrf" value="([^"]+)/.exec(await form.text())?.[1] ?? "");
  secrets.push(
    unused.code,
    unused.verifier,
    grant.code,
    grant.verifier,
    app.secret ?? "",
    ...browser.cookies.values(),
  );
  for (const { access_token, refresh_token, id_token } of [first, second]) {
    secrets.push(access_token, refresh_token, id_token);
  }
}

/** Errors of every layer, each with something in it that must not come out. */
async function badDay(): Promise<void> {
  const s = () => secret("bad");
  const login = `${url}/login`;
  for (const body of [
    (p: string) => `{"identifier":"admin","password":"${p}"}`,
    (p: string) => `{"identifier":"admin","password":"${p}\\u0000"}`,
    (p: string) => `{"identifier":"${p}\\u0000","password":"x"}`,
    (p: string) => `{"identifier":"admin","password":${p}}`,
    (p: string) => `{"identifier":"admin","password":{"${p}":"${p}"}}`,
    (p: string) => `{"identifier":"admin","password":["${p}"],"${p}":1}`,
    (p: string) => `{"identifier":"admin","password":{"toString":"${p}"}}`,
    (p: string) => p,
    (p: string) => `'${p}'`,
    (p: string) => `{"password":"${p}`,
  ]) {
    const password = s();
    await provoke(postJson(login, body(password)), password);
    const again = s();
    await provoke(postJson(login, body(again), { accept: "text/html" }), again);
  }
  for (const path of ["/token/refresh", "/logout"]) {
    const token = s();
    await provoke(postJson(url + path, { refresh_token: token }), token);
  }
  const weak = "weak-but-mine";
  await provoke(
    postJson(`${url}/register`, { username: "x", email: "not-an-address", password: weak }),
    weak,
  );
  const given = s();
  await provoke(
    postJson(`${url}/register`, { username: "admin", email: administrator.email, password: given }),
    given,
  );
  const nul = s();
  const names = { username: "nulnul", email: "nul@example.com", given_name: `${nul}\0` };
  await provoke(postJson(`${url}/register`, { ...names, password: nul }), nul);
  const reset = s();
  await provoke(postJson(`${url}/reset-password`, { token: reset, new_password: reset }), reset);
  for (const path of [
    "/verify-email?token=",
    "/reset-password?token=",
    "/oauth/authorize?interaction=",
    "/nothing?code=",
  ]) {
    for (const accept of ["text/html", "application/json"]) {
      const token = s();
      await provoke(
        fetch(url + path + encodeURIComponent(token), { headers: { accept } }),
        token,
        encodeURIComponent(token),
      );
    }
  }
  for (const fields of [
    (p: string) => ({ grant_type: "authorization_code", code: p, code_verifier: p }),
    (p: string) => ({ grant_type: "refresh_token", refresh_token: p }),
    (p: string) => ({
      grant_type: "refresh_token",
      refresh_token: "x",
      client_id: `${p}\0`,
      client_secret: p,
    }),
    (p: string) => ({ grant_type: p, client_secret: p, client_id: app.client.clientId }),
  ]) {
    const code = s();
    await provoke(postForm(`${url}/oauth/token`, fields(code)), code);
  }
  const basic = s();
  const authorization = `Basic ${Buffer.from(`${app.client.clientId}:${basic}`).toString("base64")}`;
  await provoke(postForm(`${url}/oauth/token`, {}, { authorization }), basic, authorization.slice(6));
  for (const scheme of ["Bearer", "Basic", "Token"]) {
    const token = s().replace("!", "");
    await provoke(fetch(`${url}/me`, { headers: { authorization: `${scheme} ${token}` } }), token);
    await provoke(fetch(`${url}/metrics`, { headers: { authorization: `${scheme} ${token}` } }), token);
  }
  const cookie = s();
  await provoke(fetch(`${url}/account`, { headers: { cookie: `__Host-gw_session=${cookie}` } }), cookie);
  const csrf = s();
  await provoke(postForm(`${url}/signin`, { csrf, password: csrf, identifier: "admin" }), csrf);
}

/** The database is made to fail under a request, so that drivers and query builders tell what they know. */
async function brokenDay(): Promise<void> {
  await deps.db.$client`alter table audit_events rename to audit_events_away`;
  const password = secret("broken");
  await provoke(postJson(`${url}/login`, { identifier: "admin", password }), password);
  await deps.db.$client`alter table audit_events_away rename to audit_events`;
  await deps.db.$client`alter table users add constraint no_eve check (username not like 'eve%')`;
  const eve = secret("constraint");
  const body = { username: "eve-1", email: "eve@example.com", password: eve, given_name: "Given-Evangeline" };
  await provoke(postJson(`${url}/register`, body), eve, "Given-Evangeline");
}

describe("a day of sign-ins, attacks and failures", () => {
  /** DESIGN §4. Guards: http/gateway.ts (path without query), http/errors.ts, lib/log.ts (serializeError, redact). */
  it("leaves no password, token, code, secret or query in any line of the log", async () => {
    await goodDay();
    await badDay();
    await brokenDay();
    api.kill();
    const log = await output;
    const lines = log.split("\n").filter(Boolean);
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.some((line) => line.includes('"status":500'))).toBe(true);
    const leaks = secrets.filter(Boolean).flatMap((known) => {
      const needle = known.length > 43 ? known.slice(-43) : known;
      return lines.filter((line) => line.includes(needle)).map((line) => `${needle}: ${line.slice(0, 400)}`);
    });
    expect(leaks).toEqual([]);
    expect(lines.filter((line) => /"path":"[^"]*[?#]/.test(line))).toEqual([]);
  });

  /** CWE-209. Guard: http/errors.ts (public messages, schema facts alone). */
  it("comes back in no answer, and neither do stacks and statements", () => {
    expect(answers.length).toBeGreaterThan(40);
    for (const answer of answers) {
      const leaked = secrets.filter((known) => known && answer.includes(known));
      expect([answer.slice(0, 80), leaked]).toEqual([answer.slice(0, 80), []]);
      expect(answer).not.toMatch(
        /\bat \/|\.ts:\d|node_modules|PostgresError|constraint|insert into|select "/i,
      );
    }
  });

  /** An operator has to learn what failed, all the same. Guard: lib/log.ts: codes are kept where secrets are masked. */
  it("leaves the operator the database's code and the constraint's name", async () => {
    const failures = (await output).split("\n").filter((line) => line.includes('"request failed"'));
    expect(failures.join("\n")).toContain('"constraint":"no_eve"');
    expect(failures.join("\n")).toContain('"code":"23514"');
  });
});
