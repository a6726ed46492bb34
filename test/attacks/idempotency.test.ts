/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): one execution, one answer, and nobody else's. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq, like } from "drizzle-orm";
import { clients, idempotencyKeys, roles } from "../../src/db/schema/index.ts";
import { cleanUp } from "../../src/domain/maintenance/service.ts";
import { newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { bearer, createOtherTenant, login, type OtherTenant, type Person } from "./support.ts";

let server: TestServer;
let mine: OtherTenant;
let theirs: OtherTenant;
let admin: Person;
let token: string;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
  [mine, theirs] = [await createOtherTenant(server, "mine"), await createOtherTenant(server, "theirs")];
  ({ person: admin, token } = await newAdministrator(server, mine));
});
afterAll(() => server.stop());

const newKey = () => `key-${++counter}`;
const name = () => `thing${++counter}`;

interface Options {
  token?: string;
  base?: string;
  headers?: Record<string, string>;
}

const post = (path: string, key: string, body: unknown, options: Options = {}) =>
  fetch(`${options.base ?? mine.base}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...bearer(options.token ?? token),
      "idempotency-key": key,
      ...options.headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const ROLES = "/api/v1/admin/roles";
const CLIENTS = "/api/v1/admin/clients";
const countRoles = (of: OtherTenant, pattern: string) =>
  server.deps.db.$count(roles, and(eq(roles.tenantId, of.tenant.id), like(roles.name, pattern)));

describe("a repeated request", () => {
  it("is answered as the first time, and says so", async () => {
    const [key, body] = [newKey(), { name: name(), description: "x" }];
    const first = await post(ROLES, key, body);
    const second = await post(ROLES, key, body);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect([first.headers.get("idempotency-replayed"), second.headers.get("idempotency-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    expect(await countRoles(mine, body.name)).toBe(1);
  });

  it("is answered with the first refusal, too", async () => {
    const body = { name: name() };
    await post(ROLES, newKey(), body);
    const key = newKey();
    const first = await post(ROLES, key, body);
    expect(first.status).toBe(409);
    const second = await post(ROLES, key, body);
    expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([409, "true"]);
  });

  it("of a secret that is shown once is answered with that secret, which nobody reads in the database", async () => {
    const key = newKey();
    const body = { name: name(), redirect_uris: ["https://app.example/cb"] };
    const first = await post(CLIENTS, key, body);
    const made = (await first.json()) as { id: string; client_secret: string };
    expect(made.client_secret).toBeString();
    const again = await post(CLIENTS, key, body);
    expect(await again.json()).toEqual(made);
    expect(again.headers.get("cache-control")).toBe("no-store");
    const rows = await server.deps.db.select().from(idempotencyKeys);
    const dump = rows
      .flatMap((row) => Object.values(row))
      .map((value) => (Buffer.isBuffer(value) ? value.toString("latin1") : String(value)))
      .join("\n");
    // Guard: idempotency/service.ts `finish` seals the answer.
    expect(dump).not.toContain(made.client_secret);
    expect(dump).not.toContain(made.id);
    // Guard: the key is kept as an HMAC.
    expect(dump).not.toContain(key);
    expect(await server.deps.db.$count(clients, eq(clients.name, body.name))).toBe(1);
  });

  it("is executed anew after a day", async () => {
    const [key, body] = [newKey(), { name: name() }];
    expect((await post(ROLES, key, body)).status).toBe(201);
    server.clock.advance(24 * 3600 - 900);
    token = (await login(mine.base, admin.username)).access_token;
    expect((await post(ROLES, key, body)).headers.get("idempotency-replayed")).toBe("true");
    server.clock.advance(901);
    token = (await login(mine.base, admin.username)).access_token;
    const after = await post(ROLES, key, body);
    expect([after.status, after.headers.get("idempotency-replayed")]).toEqual([409, null]);
  });

  it("is the same with the key in quotes, as a Structured Field writes it (§2.1)", async () => {
    const [key, body] = [newKey(), { name: name() }];
    await post(ROLES, key, body);
    expect((await post(ROLES, `"${key}"`, body)).headers.get("idempotency-replayed")).toBe("true");
  });

  it("by another token of the same person is theirs", async () => {
    const [key, body] = [newKey(), { name: name() }];
    await post(ROLES, key, body);
    const other = (await login(mine.base, admin.username)).access_token;
    expect((await post(ROLES, key, body, { token: other })).headers.get("idempotency-replayed")).toBe("true");
  });
});

describe("of requests that come at once", () => {
  /** Guard: idempotency/repo.ts `take`: one statement. */
  it("one is executed, and all others are told to wait or get its answer", async () => {
    const [key, body] = [newKey(), { name: name(), redirect_uris: ["https://app.example/cb"] }];
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(CLIENTS, key, body)));
    const made = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ status }) => status === 409);
    expect(made.length + waiting.length).toBe(20);
    expect(made.filter(({ headers }) => !headers.has("idempotency-replayed"))).toHaveLength(1);
    for (const answer of waiting) {
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(((await answer.json()) as { error: string }).error).toBe("idempotency_in_progress");
    }
    expect(await server.deps.db.$count(clients, eq(clients.name, body.name))).toBe(1);
    expect((await post(CLIENTS, key, body)).headers.get("idempotency-replayed")).toBe("true");
  });

  /** A key of a process that was killed: guard: `leasedUntil`. */
  it("none is locked out for ever by one that died", async () => {
    const [key, body] = [newKey(), { name: name() }];
    expect((await post(ROLES, key, body)).status).toBe(201);
    // As the row is while the request is under way.
    const [row] = await server.deps.db
      .update(idempotencyKeys)
      .set({ status: null, sealedAnswer: null, masterKeyId: null })
      .where(eq(idempotencyKeys.createdAt, server.clock.now()))
      .returning({ hash: idempotencyKeys.hash });
    expect(row).toBeDefined();
    expect((await post(ROLES, key, body)).status).toBe(409);
    expect(((await (await post(ROLES, key, body)).json()) as { error: string }).error).toBe(
      "idempotency_in_progress",
    );
    server.clock.advance(61);
    // Executed: the name is taken by then.
    const after = await post(ROLES, key, body);
    expect([after.status, ((await after.json()) as { error: string }).error]).toEqual([409, "conflict"]);
    // Not even then for a request that is another one.
    await server.deps.db.update(idempotencyKeys).set({ status: null, sealedAnswer: null, masterKeyId: null });
    server.clock.advance(61);
    expect((await post(ROLES, key, { name: name() })).status).toBe(422);
  });
});

describe("a key", () => {
  /** Guard: idempotency/service.ts compares the fingerprint. */
  it("that was another request's is refused", async () => {
    const [key, first] = [newKey(), name()];
    await post(ROLES, key, { name: first });
    const reused = await post(ROLES, key, { name: name() });
    expect([reused.status, ((await reused.json()) as { error: string }).error]).toEqual([
      422,
      "idempotency_key_reused",
    ]);
    const otherQuery = await post(`${ROLES}?x=1`, key, { name: first });
    expect(otherQuery.status).toBe(422);
  });

  it.each([["k".repeat(256)], ["two words"], ["käse"], [" "]])(
    "%p is none, and nothing is executed",
    async (key) => {
      const body = { name: name() };
      const response = await post(ROLES, key, body);
      expect(response.status).toBe(400);
      expect(await countRoles(mine, body.name)).toBe(0);
    },
  );

  it("is as long as 255 characters", async () => {
    const body = { name: name() };
    expect((await post(ROLES, "k".repeat(255), body)).status).toBe(201);
  });

  it("is looked at on POST alone", async () => {
    const key = newKey();
    const headers = { ...bearer(token), "idempotency-key": key };
    for (let time = 0; time < 2; time++) {
      const response = await fetch(mine.base + ROLES, { headers });
      expect([response.status, response.headers.get("idempotency-replayed")]).toEqual([200, null]);
    }
  });

  it("leaves nothing behind where it is not sent", async () => {
    const before = await server.deps.db.$count(idempotencyKeys);
    await fetch(mine.base + ROLES, {
      method: "POST",
      headers: { "content-type": "application/json", ...bearer(token) },
      body: JSON.stringify({ name: name() }),
    });
    expect(await server.deps.db.$count(idempotencyKeys)).toBe(before);
  });
});

describe("nobody else gets the answer", () => {
  /** Guard: idempotency/service.ts `hashOf`: the principal and the path are part of it; the row is the tenant's. */
  it("another administrator, another tenant or another route with the same key is a request of its own", async () => {
    const [key, body] = [newKey(), { name: name() }];
    const first = await post(ROLES, key, body);
    const made = (await first.json()) as { id: string };
    const second = await newAdministrator(server, mine);
    const colleague = await post(ROLES, key, body, { token: second.token });
    expect([colleague.status, colleague.headers.get("idempotency-replayed")]).toEqual([409, null]);
    const stranger = await newAdministrator(server, theirs);
    const elsewhere = await post(ROLES, key, body, { token: stranger.token, base: theirs.base });
    expect([elsewhere.status, elsewhere.headers.get("idempotency-replayed")]).toEqual([201, null]);
    expect(((await elsewhere.json()) as { id: string }).id).not.toBe(made.id);
    expect(await countRoles(theirs, body.name)).toBe(1);
    const group = await post("/api/v1/admin/groups", key, body);
    expect([group.status, group.headers.get("idempotency-replayed")]).toEqual([201, null]);
  });

  it("nor who has no token, or lost the role since", async () => {
    const second = await newAdministrator(server, mine);
    const [key, body] = [newKey(), { name: name() }];
    expect((await post(ROLES, key, body, { token: second.token })).status).toBe(201);
    const anonymous = await fetch(mine.base + ROLES, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
    });
    expect(anonymous.status).toBe(401);
    await fetch(`${mine.base}/api/v1/admin/users/${second.person.id}`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...bearer(token) },
      body: JSON.stringify({ roles: [] }),
    });
    expect((await post(ROLES, key, body, { token: second.token })).status).toBe(403);
  });
});

describe("what is worth another try", () => {
  it("is not kept: a refusal for want of a fresh proof", async () => {
    const settings = { access_token_lifetime: 3600 };
    await fetch(`${mine.base}/api/v1/admin/organizations/${mine.tenant.id}/settings`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...bearer(token) },
      body: JSON.stringify(settings),
    });
    const [key, body] = [newKey(), { name: "Tool", scopes: ["account:read"] }];
    const stale = (await login(mine.base, admin.username)).access_token;
    server.clock.advance(15 * 60 + 1);
    expect((await post("/me/api-keys", key, body, { token: stale })).status).toBe(401);
    const fresh = (await login(mine.base, admin.username)).access_token;
    const made = await post("/me/api-keys", key, body, { token: fresh });
    expect([made.status, made.headers.get("idempotency-replayed")]).toEqual([201, null]);
    const again = await post("/me/api-keys", key, body, { token: fresh });
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
    expect(await again.json()).toEqual(await made.json());
    token = fresh;
  });

  /** Guard: http/idempotency.ts `settle` abandons on 5xx. */
  it("is not kept: a failure of ours", async () => {
    const [key, body] = [newKey(), { name: name() }];
    const { db } = server.deps;
    await db.$client`alter table roles rename column description to description_gone`;
    const failed = await post(ROLES, key, body).finally(
      () => db.$client`alter table roles rename column description_gone to description`,
    );
    expect(failed.status).toBe(500);
    const again = await post(ROLES, key, body);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, null]);
  });
});

describe("the clean-up", () => {
  it("removes the answers of yesterday, and no other", async () => {
    const [key, body] = [newKey(), { name: name() }];
    await post(ROLES, key, body);
    server.clock.advance(12 * 3600);
    token = (await login(mine.base, admin.username)).access_token;
    await post(ROLES, newKey(), { name: name() });
    server.clock.advance(12 * 3600 + 1);
    const removed = await cleanUp(server.deps, "idempotency");
    expect(removed["idempotency_keys"]).toBeGreaterThan(0);
    expect(await server.deps.db.$count(idempotencyKeys)).toBe(1);
  });
});
