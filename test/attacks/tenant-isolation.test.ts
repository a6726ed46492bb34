/**
 * One tenant's ids and tokens in another (CWE-639). The routes come from the API's own description, so that a new one
 * that takes an id or a token is attacked without anybody thinking of it: a tenant's own thing, presented to another
 * tenant, is answered exactly as one that does not exist.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { clients, grants, sessions, userEmails, users } from "../../src/db/schema/index.ts";
import { issueCode } from "../../src/domain/authorization/service.ts";
import { openLinkChallenge } from "../../src/domain/challenges/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findSessionByCookie } from "../../src/domain/sessions/service.ts";
import { isId, newId } from "../../src/lib/ids.ts";
import { validateAuthorizationRequest } from "../../src/protocol/oauth/authorization-request.ts";
import { readParameters } from "../../src/protocol/oauth/parameters.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  createOtherTenant,
  login,
  type OtherTenant,
  type Person,
  register,
} from "./support.ts";

let server: TestServer;
let mine: OtherTenant;
let theirs: OtherTenant;
let app: App;
let person: Person;
let things: Record<string, { theirs: string; nobodys: string }>;

beforeAll(async () => {
  server = await startTestServer();
  mine = await createOtherTenant(server, "mine");
  theirs = await createOtherTenant(server, "theirs");
  app = await createApp(server, {}, theirs);
  person = await register(theirs.base);
  things = await secretsOf();
});
afterAll(() => server.stop());

/** Something of every kind that a request can name, beside one of the same form that does not exist. */
async function secretsOf(): Promise<typeof things> {
  const { deps, clock } = server;
  if (!isId("user", person.id)) throw new Error("not a user's id");
  const browser = new Browser(theirs.base);
  await browser.signIn(person.username);
  const cookie = browser.cookies.get("__Host-gw_session_theirs") ?? "";
  const session = await findSessionByCookie(deps, theirs.tenant.id, cookie);
  if (!session) throw new Error("not signed in");
  const tokens = await login(theirs.base, person.username);
  const request = validateAuthorizationRequest(readParameters(authorizationParameters(app)), app.client);
  const code = await issueCode(deps, {
    tenant: theirs.tenant,
    client: app.client,
    session,
    request,
    context: systemContext,
  });
  const link = (kind: "verify_email" | "reset_password") =>
    openLinkChallenge(deps.db, {
      tenantId: theirs.tenant.id,
      id: newId("challenge"),
      kind,
      userId: session.user.id,
      data: { email_id: session.user.emailId },
      linkKeys: deps.secrets.links,
      now: clock.now(),
    });
  clock.advance(1);
  const sealed = await browser.get(`/oauth/authorize?${authorizationParameters(app, { prompt: "login" })}`);
  const interaction = new URL(sealed.headers.get("location") ?? "", server.url).searchParams.get(
    "interaction",
  );
  if (!interaction) throw new Error("no interaction");
  const secret = "A".repeat(43);
  return {
    "an access token": {
      theirs: tokens.access_token,
      nobodys: `${tokens.access_token.slice(0, -20)}${"A".repeat(20)}`,
    },
    "a refresh token": { theirs: tokens.refresh_token, nobodys: `${newId("refreshToken")}_${secret}` },
    "a code": { theirs: code, nobodys: `${newId("authorizationCode")}_${secret}` },
    "a session cookie": { theirs: cookie, nobodys: `${newId("session")}_${secret}` },
    "a verification link": { theirs: await link("verify_email"), nobodys: `${newId("challenge")}_${secret}` },
    "a reset link": { theirs: await link("reset_password"), nobodys: `${newId("challenge")}_${secret}` },
    "an interaction": { theirs: interaction, nobodys: "A".repeat(interaction.length) },
    "a client id": { theirs: app.client.clientId, nobodys: newId("client") },
    "a client secret": { theirs: app.secret ?? "", nobodys: `${newId("clientSecret")}_${secret}` },
    "a user id": { theirs: person.id, nobodys: newId("user") },
    "an email address": { theirs: person.email, nobodys: "nobody@example.com" },
    "a username": { theirs: person.username, nobodys: "nobody1" },
  };
}

interface Operation {
  method: string;
  path: string;
}

/** Every route that the description tells of, and those of the pages. */
async function operations(): Promise<Operation[]> {
  const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map((method) => ({ method: method.toUpperCase(), path })),
  );
}

/** Every name under which some route takes an id or a token. */
const PARAMETERS = [
  "token",
  "refresh_token",
  "access_token",
  "id_token",
  "id_token_hint",
  "code",
  "client_id",
];
PARAMETERS.push("client_secret", "interaction", "session", "id", "user_id", "identifier", "email", "message");

/** The value put wherever a request can hold one: path, query, form or JSON, header and cookie. */
async function answerTo({ method, path }: Operation, value: string, kind: "form" | "json"): Promise<string> {
  const others = {
    grant_type: "refresh_token",
    password: "SecureP@ss1",
    new_password: "SecureP@ss1",
    username: "x",
  };
  const fields = Object.fromEntries(PARAMETERS.map((name) => [name, value]));
  const url = new URL(mine.base + path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(value)));
  const isGet = method === "GET";
  if (isGet) for (const [name, text] of Object.entries(fields)) url.searchParams.set(name, text);
  const cookie = ["__Host-gw_session", "__Host-gw_session_mine", "__Host-gw_session_theirs"]
    .map((name) => `${name}=${value}`)
    .join("; ");
  const body = { ...others, ...fields };
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: {
      ...(path === "/oauth/token" ? {} : { authorization: `Bearer ${value}` }),
      cookie,
      accept: kind === "form" ? "text/html" : "application/json",
      ...(isGet
        ? {}
        : { "content-type": kind === "form" ? "application/x-www-form-urlencoded" : "application/json" }),
    },
    ...(isGet ? {} : { body: kind === "form" ? new URLSearchParams(body).toString() : JSON.stringify(body) }),
  });
  const text = `${response.status} ${response.headers.get("location")} ${await response.text()}`;
  return text
    .replaceAll(value, "VALUE")
    .replaceAll(encodeURIComponent(value), "VALUE")
    .replaceAll(/\breq_[0-9A-Z]{26}/g, "REQUEST")
    .replaceAll(/("challenge":"|interaction=|carried=|name="csrf" value=")[\w%-]+/g, "$1");
}

describe("another tenant's", () => {
  const kinds = ["an access token", "a refresh token", "a code", "a session cookie", "a verification link"];
  kinds.push("a reset link", "an interaction", "a client id", "a client secret", "a user id");
  kinds.push("an email address", "a username");

  /** DESIGN §4. Guard: every repo's query and key begins with the tenant. */
  it.each(kinds)("%s is answered on every route as one that does not exist", async (kind) => {
    const value = things[kind];
    if (!value) throw new Error(`no ${kind}`);
    const known = await operations();
    expect(known.length).toBeGreaterThan(20);
    for (const operation of known) {
      if (["/metrics", "/dev/mailbox"].includes(operation.path)) continue;
      for (const encoding of operation.method === "GET" ? (["json"] as const) : (["form", "json"] as const)) {
        const answer = await answerTo(operation, value.theirs, encoding);
        expect([operation, answer]).toEqual([operation, await answerTo(operation, value.nobodys, encoding)]);
      }
    }
  });

  /** The attacks changed nothing there: all of it still works, and nothing new was made. */
  it("things are as they were", async () => {
    const { db } = server.deps;
    const tenantId = theirs.tenant.id;
    expect(await db.$count(users, eq(users.tenantId, tenantId))).toBe(1);
    expect(await db.$count(grants, eq(grants.tenantId, tenantId))).toBe(0);
    const [email] = await db.select().from(userEmails).where(eq(userEmails.tenantId, tenantId));
    expect(email?.verifiedAt).toBeNull();
    const rows = await db.select().from(sessions).where(eq(sessions.tenantId, tenantId));
    expect(rows.map(({ revokedAt }) => revokedAt)).toEqual([null, null]);
    await login(theirs.base, person.username);
  });
});

describe("the database itself", () => {
  /** DESIGN §1, §4. Guard: db/schema: keys that begin with the tenant. */
  it("has no key or reference among tenants' rows that leaves the tenant out", async () => {
    const rows = await server.deps.db.$client`
      select c.conrelid::regclass::text as "table", c.conname as name, a.attname as first
      from pg_constraint c
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
      where c.connamespace = 'public'::regnamespace and c.contype in ('p', 'u', 'f')
        and exists (select 1 from pg_attribute t
          where t.attrelid = c.conrelid and t.attname = 'tenant_id' and not t.attisdropped)`;
    expect(rows.length).toBeGreaterThan(20);
    const wrong = rows.filter(({ first, table }) => first !== "tenant_id" && table !== "tenant_domains");
    expect(wrong).toEqual([]);
  });

  /** A reference across tenants is refused even to who writes SQL. Guard: composite foreign keys. */
  it("refuses a session of another tenant's user", async () => {
    if (!isId("user", person.id)) throw new Error("not a user's id");
    const now = server.clock.now();
    const insert = server.deps.db.insert(sessions).values({
      tenantId: mine.tenant.id,
      id: newId("session"),
      userId: person.id,
      authTime: now,
      acr: "x",
      amr: [],
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now,
    });
    expect(
      await insert.then(
        () => "inserted",
        () => "refused",
      ),
    ).toBe("refused");
    expect(await server.deps.db.$count(clients, eq(clients.id, app.client.id))).toBe(1);
  });
});
