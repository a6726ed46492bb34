/** `/api/v1/admin/connections/{id}`: changing and deleting connections, and whose they are. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { connectionSecrets, findConnection } from "../../../../src/domain/connections/service.ts";
import { createOtherTenant, type OtherTenant } from "../../../attacks/support.ts";
import { linkAccount } from "../../../support/external-accounts.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { type Answer, auditOf, caller, giveRole, newAdministrator } from "./support.ts";

const COLLECTION = "/connections";

let server: TestServer;
let mine: OtherTenant;
let call: ReturnType<typeof caller>;
let theirs: ReturnType<typeof caller>;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
  mine = await createOtherTenant(server, "mine");
  call = caller(mine.base, (await newAdministrator(server, mine)).token);
  const other = await createOtherTenant(server, "other");
  theirs = caller(other.base, (await newAdministrator(server, other)).token);
});
afterAll(() => server.stop());

interface Shown {
  id: string;
  key: string;
  config: Record<string, unknown>;
  secrets: string[];
}
interface Problem {
  error: string;
  details?: { field: string }[];
}

const openid = (config: Record<string, unknown> = {}) => ({
  kind: "oidc",
  key: `idp-${++counter}`,
  name: "Example",
  config: { issuer: "https://idp.example.com", client_id: "gatewright", ...config },
  secrets: { client_secret: "t0p-s3cret" },
});
const create = async (body: unknown = openid()) => (await call<Shown>("POST", COLLECTION, body)).body;
const fieldsOf = ({ body }: Answer<Problem>) => body.details?.map(({ field }) => field).toSorted();

describe("PATCH /api/v1/admin/connections/{id}", () => {
  const patch = (id: string, body: unknown) => call<Shown & Problem>("PATCH", `${COLLECTION}/${id}`, body);

  it("changes what is said, member by member, and leaves the rest", async () => {
    const { id } = await create(openid({ prompt: "login" }));
    const { status, body } = await patch(id, {
      name: "Renamed",
      enabled: false,
      config: { client_id: "d", prompt: null },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: "Renamed", enabled: false, secrets: ["client_secret"] });
    expect(body.config).toMatchObject({ issuer: "https://idp.example.com", client_id: "d" });
    expect(body.config["prompt"]).toBeUndefined();
  });

  it("replaces a secret, and takes one away that is null, unless it is needed", async () => {
    const { id } = await create();
    const secretsOf = async () => {
      const found = await findConnection(server.deps, mine.tenant.id, id);
      return found && connectionSecrets(server.deps, found);
    };
    expect((await patch(id, { secrets: { client_secret: "n3w" } })).status).toBe(200);
    expect(await secretsOf()).toEqual({ client_secret: "n3w" });
    expect(fieldsOf(await patch(id, { secrets: { client_secret: null } }))).toEqual([
      "secrets.client_secret",
    ]);
    const { body } = await patch(id, { secrets: { client_secret: null }, enabled: false });
    expect(body.secrets).toEqual([]);
    expect(await secretsOf()).toEqual({});
  });

  it("does not change what others were told: kind, preset, key and organization", async () => {
    const { id, key } = await create();
    for (const [field, value] of Object.entries({
      kind: "saml",
      preset: "google",
      key: "elsewhere",
      organization_id: "org_01JD2M9V7QX5T8Z4C6B3N0K1HF",
    })) {
      expect(fieldsOf(await patch(id, { [field]: value }))).toEqual([field]);
    }
    expect((await patch(id, { kind: "oidc", key, preset: null, organization_id: null })).status).toBe(200);
  });

  it("is in the audit trail with what was and what is", async () => {
    const { id } = await create();
    await patch(id, { name: "After", secrets: { client_secret: "an0ther" } });
    const trail = await auditOf(server, id);
    expect(trail).toMatchObject([
      { type: "connection.created", details: { after: { name: "Example" }, secrets: ["client_secret"] } },
      {
        type: "connection.updated",
        details: { before: { name: "Example" }, after: { name: "After" }, secrets: ["client_secret"] },
      },
    ]);
    expect(JSON.stringify(trail)).not.toMatch(/an0ther|t0p-s3cret/);
  });

  it("is seen by who finds it next", async () => {
    const { id, key } = await create();
    expect((await findConnection(server.deps, mine.tenant.id, key))?.name).toBe("Example");
    await patch(id, { name: "Seen" });
    expect((await findConnection(server.deps, mine.tenant.id, key))?.name).toBe("Seen");
    expect((await findConnection(server.deps, mine.tenant.id, id))?.name).toBe("Seen");
  });

  it("keeps what names the users of linked accounts", async () => {
    const { id } = await create();
    await linkAccount(server, mine, id);
    for (const change of [
      { config: { issuer: "https://evil.example" } },
      { attribute_mapping: { subject: "{{ email }}" } },
    ]) {
      const { status, body } = await patch(id, change);
      expect([status, body.error]).toEqual([409, "connection_in_use"]);
    }
    expect((await patch(id, { config: { client_id: "other" } })).status).toBe(200);
  });
});

describe("DELETE /api/v1/admin/connections/{id}", () => {
  it("deletes one that nobody is linked to", async () => {
    const { id, key } = await create();
    expect((await call("DELETE", `${COLLECTION}/${id}`)).status).toBe(204);
    expect((await call("GET", `${COLLECTION}/${id}`)).status).toBe(404);
    expect(await findConnection(server.deps, mine.tenant.id, key)).toBeUndefined();
    expect((await auditOf(server, id)).map(({ type }) => type)).toContain("connection.deleted");
  });

  it("asks for force where accounts are linked to it", async () => {
    const { id } = await create();
    const { person } = await linkAccount(server, mine, id);
    expect((await call("DELETE", `${COLLECTION}/${id}`)).status).toBe(409);
    expect((await call("DELETE", `${COLLECTION}/${id}?force=true`)).status).toBe(204);
    const { body } = await call<{ data: unknown[] }>("GET", `/users/${person.id}/external-accounts`);
    expect(body.data).toEqual([]);
  });
});

describe("a connection of another tenant", () => {
  it("is not there: not to be read, changed, tested or deleted", async () => {
    const { id } = await create();
    const own = await theirs<Problem>("GET", `${COLLECTION}/conn_01JD2M9V7QX5T8Z4C6B3N0K1HF`);
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { name: "Mine" }],
      ["DELETE", "?force=true", undefined],
      ["POST", "/test", undefined],
    ] as const) {
      const answer = await theirs<Problem>(method, `${COLLECTION}/${id}${path}`, body);
      expect([answer.status, answer.body.error]).toEqual([404, own.body.error]);
    }
    expect(await findConnection(server.deps, mine.tenant.id, id)).toBeDefined();
  });
});

describe("a connection that somebody is linked to who administers every tenant", () => {
  it("is changed by their like alone: it opens their account", async () => {
    const { id } = await create();
    const { person } = await linkAccount(server, mine, id);
    await giveRole(server, mine.tenant, person, "super_admin");
    expect((await call("PATCH", `${COLLECTION}/${id}`, { name: "Harmless" })).status).toBe(200);
    for (const change of [
      { config: { token_endpoint: "https://evil.example/token" } },
      { secrets: { client_secret: "evil" } },
      { attribute_mapping: { email: "x" } },
      { trust_upstream_mfa: true },
    ]) {
      expect((await call("PATCH", `${COLLECTION}/${id}`, change)).status).toBe(403);
    }
    expect((await call("DELETE", `${COLLECTION}/${id}?force=true`)).status).toBe(403);
  });
});
