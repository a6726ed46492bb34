/** /api/v1/admin/scim-tokens, /api/v1/admin/groups/{id}/roles and /api/v1/admin/webhooks. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createOtherTenant, login, register } from "../../../attacks/support.ts";
import { type ScimClient, scimClient } from "../../../conformance/scim/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { jobsOf, type Receiver, startReceiver } from "../../../support/webhooks.ts";
import { administratorsToken, auditOf, caller, newAdministrator } from "./support.ts";

interface Body {
  id: string;
  token?: string;
  secret?: string;
  roles?: string[];
  enabled?: boolean;
  status?: string;
  data?: Body[];
  details?: { field: string }[];
}

let server: TestServer;
let receiver: Receiver;
let scim: ScimClient;
let call: ReturnType<typeof caller>;
let byAdmin: ReturnType<typeof caller>;
let elsewhere: ReturnType<typeof caller>;
let byNobody: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  receiver = startReceiver();
  scim = await scimClient(server);
  call = caller(server.url, await administratorsToken(server));
  byAdmin = caller(
    server.url,
    (await newAdministrator(server, { tenant: server.tenant, base: server.url })).token,
  );
  const other = await createOtherTenant(server, "other");
  elsewhere = caller(other.base, (await newAdministrator(server, other)).token);
  const person = await register(server.url);
  byNobody = caller(server.url, (await login(server.url, person.username)).access_token);
});
afterAll(async () => {
  receiver.stop();
  await server.stop();
});

describe("SCIM tokens of the tenant", () => {
  it("are issued, shown once, listed and revoked, with a trace", async () => {
    const { status, body } = await call<Body>("POST", "/scim-tokens", { name: "Entra ID" });
    expect(status).toBe(201);
    const client = await scimClient(server, { token: body.token ?? "" });
    expect((await client.get("/Users")).status).toBe(200);
    const list = await call<Body>("GET", "/scim-tokens");
    expect(list.body.data?.map(({ id }) => id)).toContain(body.id);
    expect(JSON.stringify(list.body)).not.toContain(body.token?.slice(-20) ?? "");
    expect((await elsewhere("DELETE", `/scim-tokens/${body.id}`)).status).toBe(404);
    expect((await call("DELETE", `/scim-tokens/${body.id}`)).status).toBe(204);
    expect((await client.get("/Users")).status).toBe(401);
    const events = await auditOf(server, body.id);
    expect(events.map(({ type }) => type)).toEqual(["scim_token.created", "scim_token.revoked"]);
    expect((await call("POST", "/scim-tokens", { name: "" })).status).toBe(422);
    expect((await byNobody("POST", "/scim-tokens", { name: "x" })).status).toBe(403);
  });
});

describe("the roles of a group", () => {
  it("are replaced, and its members have them at once, with a trace", async () => {
    const { body: user } = await scim.post("/Users", { userName: "member" });
    const { body: group } = await scim.post("/Groups", { displayName: "G", members: [{ value: user.id }] });
    const path = `/groups/${group.id}/roles`;
    expect((await call<Body>("GET", path)).body.roles).toEqual([]);
    expect((await byAdmin<Body>("PUT", path, { roles: ["admin"] })).body.roles).toEqual(["admin"]);
    expect((await byAdmin<Body>("PUT", path, { roles: ["admin"] })).status).toBe(200);
    expect((await call<Body>("PUT", path, { roles: [] })).body.roles).toEqual([]);
    const events = (await auditOf(server, group.id)).filter(({ type }) => type === "group.roles_changed");
    expect(events.map(({ details }) => details)).toEqual([
      { added: ["admin"], removed: [] },
      { added: [], removed: ["admin"] },
    ]);
  });

  it("are not set for another tenant, to roles that are none, or to super_admin by an administrator", async () => {
    const { body: group } = await scim.post("/Groups", { displayName: "G2" });
    const path = `/groups/${group.id}/roles`;
    expect((await elsewhere("PUT", path, { roles: ["admin"] })).status).toBe(404);
    expect((await elsewhere("GET", path)).status).toBe(404);
    expect((await call("PUT", "/groups/x/roles", { roles: [] })).status).toBe(404);
    expect((await call("PUT", path, { roles: ["king"] })).status).toBe(422);
    expect((await byNobody("PUT", path, { roles: [] })).status).toBe(403);
    expect((await byAdmin("PUT", path, { roles: ["super_admin"] })).status).toBe(403);
    expect((await call<Body>("PUT", path, { roles: ["super_admin"] })).body.roles).toEqual(["super_admin"]);
    expect((await byAdmin("PUT", path, { roles: [] })).status).toBe(403);
    expect((await call<Body>("PUT", path, { roles: [] })).status).toBe(200);
  });
});

describe("webhooks", () => {
  it("are added, changed, told, replayed and removed", async () => {
    const jobs = jobsOf(server);
    await jobs.work();
    const made = await call<Body>("POST", "/webhooks", {
      url: receiver.url,
      event_types: ["scimUser.provisioned"],
    });
    expect([made.status, made.body.secret]).toEqual([201, expect.stringMatching(/^whsec_/)]);
    const path = `/webhooks/${made.body.id}`;
    for (const read of [path, "/webhooks"])
      expect(JSON.stringify((await call("GET", read)).body)).not.toContain(made.body.secret?.slice(6) ?? "");
    await scim.post("/Users", { userName: "told" });
    await jobs.work();
    const { body: log } = await call<Body>("GET", `${path}/deliveries`);
    expect(log.data?.map(({ status }) => status)).toEqual(["delivered"]);
    const replayed = await call<Body>("POST", `${path}/deliveries/${log.data?.[0]?.id}/replay`);
    expect(replayed.status).toBe(202);
    await jobs.work();
    expect(receiver.received.length).toBe(2);
    expect((await call<Body>("PATCH", path, { enabled: false })).body.enabled).toBe(false);
    const rotated = await call<Body>("POST", `${path}/rotate-secret`);
    expect(rotated.body.secret).not.toBe(made.body.secret ?? "");
    for (const [method, of, body] of [
      ["GET", path],
      ["PATCH", path, { enabled: true }],
      ["DELETE", path],
      ["POST", `${path}/rotate-secret`],
      ["GET", `${path}/deliveries`],
      ["POST", `${path}/deliveries/${log.data?.[0]?.id}/replay`],
    ] as const) {
      expect([of, (await elsewhere(method, of, body)).status]).toEqual([of, 404]);
      expect([of, (await byNobody(method, of, body)).status]).toEqual([of, 403]);
    }
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
    const events = (await auditOf(server, made.body.id)).map(({ type }) => type);
    expect(events).toEqual([
      "webhook.created",
      "webhook.replayed",
      "webhook.updated",
      "webhook.secret_rotated",
      "webhook.deleted",
    ]);
  });

  it("are refused with an address or a type that is none", async () => {
    for (const [body, field] of [
      [{ url: "ftp://example.com" }, "url"],
      [{ url: "https://user:password@example.com" }, "url"],
      [{ url: "https://example.com/ a" }, "url"],
      [{ url: "https://example.com", event_types: ["*"] }, "event_types"],
    ] as const) {
      const answer = await call<Body>("POST", "/webhooks", body);
      expect([answer.status, answer.body.details?.map((detail) => detail.field)]).toEqual([422, [field]]);
    }
  });
});
