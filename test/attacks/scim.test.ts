/** Provisioning clients that reach for what is not theirs. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { auditEvents, scimTokens, users } from "../../src/db/schema/index.ts";
import type { Organization } from "../../src/domain/organizations/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { addOrganization, type ScimClient, scimClient } from "../conformance/scim/support.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant } from "./support.ts";

let server: TestServer;
let one: Organization;
let scim: ScimClient;
let ofOne: ScimClient;
let ofTwo: ScimClient;

beforeAll(async () => {
  server = await startTestServer();
  one = await addOrganization(server, "one");
  scim = await scimClient(server);
  ofOne = await scimClient(server, { organization: one });
  ofTwo = await scimClient(server, { organization: await addOrganization(server, "two") });
});
afterAll(() => server.stop());

let counter = 0;
const person = (more: Record<string, unknown> = {}) => {
  const userName = `p${++counter}`;
  return { userName, emails: [{ value: `${userName}@example.com` }], ...more };
};

async function make(client: ScimClient, more: Record<string, unknown> = {}) {
  const { status, body } = await client.post("/Users", person(more));
  expect(status).toBe(201);
  return body;
}

/** Everything that can be done to one resource, and what each attempt was answered. */
async function attempts(client: ScimClient, path: string): Promise<number[]> {
  const answers = [
    await client.get(path),
    await client.put(path, person({ displayName: "taken" })),
    await client.patch(path, [{ op: "replace", path: "displayName", value: "taken" }]),
    await client.delete(path),
  ];
  return answers.map(({ status }) => status);
}

describe("a SCIM token of one organization", () => {
  /** Guard: scim-users/repo.ts and scim-groups/repo.ts, `visible`. */
  it("sees and changes nothing of another's, nor of the tenant's", async () => {
    const [theirs, tenants] = [await make(ofTwo), await make(scim)];
    const group = (await ofTwo.post("/Groups", { displayName: "Theirs" })).body;
    for (const path of [`/Users/${theirs.id}`, `/Users/${tenants.id}`, `/Groups/${group.id}`])
      expect([path, ...(await attempts(ofOne, path))]).toEqual([path, 404, 404, 404, 404]);
    const listed = await ofOne.get(`/Users?filter=${encodeURIComponent(`userName eq "${theirs.userName}"`)}`);
    expect(listed.body.totalResults).toBe(0);
    for (const filter of [`id eq "${theirs.id}"`, `not (userName eq "x")`, `userName pr or userName pr`]) {
      const { body } = await ofOne.post("/Users/.search", { filter });
      expect(body.Resources?.some(({ id }) => id === theirs.id)).toBe(false);
    }
    expect((await ofTwo.get(`/Users/${theirs.id}`)).status).toBe(200);
  });

  /** Guard: scim-groups/members/repo.ts, `countVisible`. */
  it("makes nobody of another's a member of its groups", async () => {
    const theirs = await make(ofTwo);
    const refused = await ofOne.post("/Groups", { displayName: "Mine", members: [{ value: theirs.id }] });
    expect([refused.status, refused.body.scimType]).toEqual([400, "invalidValue"]);
    const mine = (await ofOne.post("/Groups", { displayName: "Mine" })).body;
    const added = await ofOne.patch(`/Groups/${mine.id}`, [
      { op: "add", path: "members", value: [{ value: theirs.id }] },
    ]);
    expect(added.status).toBe(400);
  });

  /** Guard: the same scope in bulk operations (api/scim/bulk.ts takes the caller's). */
  it("is not more in a bulk request", async () => {
    const theirs = await make(ofTwo);
    const { body } = await ofOne.post("/Bulk", {
      Operations: [{ method: "DELETE", path: `/Users/${theirs.id}` }],
    });
    expect(body.Operations?.[0]?.status).toBe("404");
    expect((await ofTwo.get(`/Users/${theirs.id}`)).status).toBe(200);
  });

  /** Guard: scim_external_ids is unique within a scope. */
  it("may use external ids that another uses, and collides with its own alone", async () => {
    const externalId = "E-1";
    const mine = await make(ofOne, { externalId });
    const theirs = await make(ofTwo, { externalId });
    expect(mine.id).not.toBe(theirs.id);
    const again = await ofOne.post("/Users", person({ externalId }));
    expect([again.status, again.body.scimType]).toEqual([409, "uniqueness"]);
    const found = await ofOne.get(`/Users?filter=${encodeURIComponent('externalId eq "E-1"')}`);
    expect(found.body.Resources?.map(({ id }) => id)).toEqual([mine.id]);
  });

  /** Guard: scim-users/provisioning.ts, `emailsVerified`: a company vouches for nobody's address. */
  it("verifies no address", async () => {
    const made = await make(ofOne);
    const rows = await server.deps.db.query.userEmails.findMany();
    const own = rows.filter(({ userId }) => userId === made.id);
    expect(own.map(({ verifiedAt }) => verifiedAt)).toEqual([null]);
  });
});

describe("a SCIM token of one tenant", () => {
  /** Guard: scim-tokens/service.ts looks a token up within the request's tenant. */
  it("opens nothing in another", async () => {
    const other = await createOtherTenant(server, "other");
    const path = new URL(other.base).pathname;
    const elsewhere = await scimClient(server, { base: path, token: scim.token });
    expect((await elsewhere.get("/Users")).status).toBe(401);
    const theirs = await scimClient(server, { tenant: other.tenant, base: path });
    const user = (await theirs.post("/Users", person())).body;
    expect(await attempts(scim, `/Users/${user.id}`)).toEqual([404, 404, 404, 404]);
    const group = (await scim.post("/Groups", { displayName: "G" })).body;
    const added = await scim.patch(`/Groups/${group.id}`, [
      { op: "add", path: "members", value: [{ value: user.id }] },
    ]);
    expect(added.status).toBe(400);
  });

  /** Guard: scim-tokens/service.ts, `findLiveScimToken`. */
  it("opens nothing when it is forged, expired, revoked or no SCIM token", async () => {
    const doomed = await scimClient(server);
    const id = doomed.token.slice(0, "scim_".length + 26);
    if (!isId("scimToken", id)) throw new Error("no token id");
    const forged = `${doomed.token.slice(0, -43)}${"A".repeat(43)}`;
    for (const token of [forged, `${doomed.token}A`, "scim_", id]) {
      const client = await scimClient(server, { token });
      expect([token, (await client.get("/Users")).status]).toEqual([token, 401]);
    }
    const { db } = server.deps;
    const set = (change: object) => db.update(scimTokens).set(change).where(eq(scimTokens.id, id));
    await set({ expiresAt: server.clock.now() });
    expect((await doomed.get("/Users")).status).toBe(401);
    await set({ expiresAt: null });
    expect((await doomed.get("/Users")).status).toBe(200);
    await set({ revokedAt: server.clock.now() });
    expect((await doomed.get("/Users")).status).toBe(401);
  });

  /** Guard: adminScope's role (http/scope.ts, requireAdminAccess). */
  it("cannot be replaced by an ordinary user's access token", async () => {
    const body = { username: "ordinary", email: "ordinary@example.com", password: "C0rrect-Horse!" };
    await postJson(`${server.url}/register`, body);
    const login = await postJson(`${server.url}/login`, { identifier: "ordinary", password: body.password });
    const { access_token: token }: { access_token: string } = await login.json();
    expect((await (await scimClient(server, { token })).get("/Users")).status).toBe(403);
  });
});

describe("a change that changes nothing", () => {
  it("leaves version and audit trail as they were", async () => {
    const user = await make(scim, { title: "T" });
    const { db } = server.deps;
    const events = () => db.select().from(auditEvents).where(eq(auditEvents.targetId, user.id));
    const before = await events();
    server.clock.advance(5);
    const patched = await scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "title", value: "T" }]);
    expect(patched.body.meta).toEqual(user.meta);
    expect((await events()).length).toBe(before.length);
    const [row] = await db
      .select()
      .from(users)
      .where(eq(users.username, user.userName ?? ""));
    expect(row?.updatedAt.toISOString()).toBe(user.meta.lastModified);
  });

  /** Guard: scim-users/service.ts, requireMatch. */
  it("of an older version is refused", async () => {
    const user = await make(scim);
    const headers = { "if-match": user.meta.version };
    const rename = (title: string) =>
      scim.patch(`/Users/${user.id}`, [{ op: "replace", path: "title", value: title }], headers);
    expect((await rename("a")).status).toBe(200);
    expect((await rename("b")).status).toBe(412);
    expect((await scim.delete(`/Users/${user.id}`, headers)).status).toBe(412);
  });
});
