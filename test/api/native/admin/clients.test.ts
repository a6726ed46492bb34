/** GET/POST /api/v1/admin/clients, GET/PUT/DELETE …/{id}, POST …/{id}/rotate-secret. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { newId } from "../../../../src/lib/ids.ts";
import { postForm, startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller } from "./support.ts";

interface ClientBody {
  id: string;
  client_id: string;
  client_secret?: string;
  name: string;
  [member: string]: unknown;
}
interface ErrorBody {
  error: string;
  details?: { field: string; message: string }[];
}

const sound = { name: "Shop", redirect_uris: ["https://shop.example/cb"] };
let server: TestServer;
let call: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer();
  call = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

const create = async (changes: Record<string, unknown> = {}) =>
  (await call<ClientBody>("POST", "/clients", { ...sound, ...changes })).body;

/** Whether a secret gets the client a token of its own. */
async function works(client: ClientBody, secret: string | undefined): Promise<boolean> {
  const credentials = Buffer.from(`${client.client_id}:${secret}`).toString("base64");
  const response = await postForm(
    `${server.url}/oauth/token`,
    { grant_type: "client_credentials" },
    { authorization: `Basic ${credentials}` },
  );
  return response.status === 200;
}

const machine = { grant_types: ["client_credentials"], scopes: ["reports:read"], redirect_uris: [] };

describe("POST /api/v1/admin/clients", () => {
  it("answers the client, and its secret this once", async () => {
    const { status, body, headers } = await call<ClientBody>("POST", "/clients", {
      ...sound,
      scopes: ["openid", "email"],
      resources: ["https://api.example/"],
      access_token_lifetime: 300,
    });
    expect(status).toBe(201);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body.id).toStartWith("client_");
    expect(body.client_secret).toStartWith("csec_");
    expect(body).toMatchObject({
      client_id: body.id,
      name: "Shop",
      redirect_uris: sound.redirect_uris,
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      scopes: ["openid", "email"],
      resources: ["https://api.example/"],
      token_endpoint_auth_method: "client_secret_basic",
      access_token_lifetime: 300,
      first_party: false,
      enabled: true,
      origin: "administrator",
    });
    const { client_secret: _secret, ...rest } = body;
    expect((await call<object>("GET", `/clients/${body.id}`)).body).toEqual(rest);
  });

  it("makes no secret for a client that uses none", async () => {
    expect(await create({ token_endpoint_auth_method: "none" })).not.toHaveProperty("client_secret");
  });

  it("names each wrong field", async () => {
    const { status, body } = await call<ErrorBody>("POST", "/clients", {
      name: "",
      redirect_uris: ["https://shop.example/#x"],
      scopes: ["a b"],
    });
    expect([status, body.error]).toEqual([422, "validation_error"]);
    expect(body.details?.map(({ field }) => field)).toEqual(["name"]);
    const second = await call<ErrorBody>("POST", "/clients", { ...sound, scopes: ["a b"] });
    expect(second.body.details?.map(({ field }) => field)).toEqual(["scopes"]);
    const third = await call<ErrorBody>("POST", "/clients", {
      ...sound,
      redirect_uris: ["https://shop.example/#x"],
      token_endpoint_auth_method: "private_key_jwt",
    });
    expect(third.body.details?.map(({ field }) => field)).toEqual(["redirect_uris", "jwks"]);
  });

  it("is written down, with the description and without the secret", async () => {
    const { id, client_secret } = await create();
    const events = await auditOf(server, id);
    expect(events).toMatchObject([{ type: "client.created", details: { after: { client_name: "Shop" } } }]);
    expect(events[0]?.actor).toStartWith("user_");
    expect(JSON.stringify(events)).not.toContain(`${client_secret}`);
  });
});

describe("PUT /api/v1/admin/clients/{id}", () => {
  it("replaces all that is said: what is left out goes back to its default", async () => {
    const before = await create({ logo_uri: "https://shop.example/logo.png", access_token_lifetime: 300 });
    const { status, body } = await call<ClientBody>("PUT", `/clients/${before.id}`, {
      ...sound,
      name: "Store",
    });
    expect(status).toBe(200);
    expect(body.name).toBe("Store");
    expect(body).not.toHaveProperty("logo_uri");
    expect(body).not.toHaveProperty("access_token_lifetime");
    expect(body).not.toHaveProperty("client_secret");
  });

  it("takes what GET answered", async () => {
    const { client_secret: _secret, updated_at: _updated, ...before } = await create({ first_party: true });
    const { body } = await call<ClientBody>("PUT", `/clients/${before.id}`, before);
    expect(body).toMatchObject(before);
  });

  it("ends the secrets of a client that is to use none, and makes one for who needs one", async () => {
    const client = await create({ ...machine });
    expect(await works(client, client.client_secret)).toBe(true);
    const none = { ...sound, token_endpoint_auth_method: "none" };
    expect((await call<ClientBody>("PUT", `/clients/${client.id}`, none)).body.client_secret).toBeUndefined();
    const again = await call<ClientBody>("PUT", `/clients/${client.id}`, { name: "Job", ...machine });
    expect(again.body.client_secret).toStartWith("csec_");
    expect(await works(client, client.client_secret)).toBe(false);
    expect(await works(client, again.body.client_secret)).toBe(true);
  });

  it("is seen by the next request", async () => {
    const client = await create({ ...machine });
    expect(await works(client, client.client_secret)).toBe(true);
    await call("PUT", `/clients/${client.id}`, { name: "Job", ...machine, enabled: false });
    expect(await works(client, client.client_secret)).toBe(false);
  });

  it("is written down with what changed, before and after", async () => {
    const { id } = await create();
    await call("PUT", `/clients/${id}`, { ...sound, name: "Store" });
    expect((await auditOf(server, id)).at(-1)).toMatchObject({
      type: "client.updated",
      details: { before: { client_name: "Shop" }, after: { client_name: "Store" } },
    });
  });

  it("changes nothing of a description that is wrong", async () => {
    const { id } = await create();
    const answer = await call("PUT", `/clients/${id}`, { name: "Store", redirect_uris: [] });
    expect(answer.status).toBe(422);
    expect((await call<ClientBody>("GET", `/clients/${id}`)).body.name).toBe("Shop");
  });
});

describe("POST /api/v1/admin/clients/{id}/rotate-secret", () => {
  it("ends the old secret at once", async () => {
    const client = await create({ ...machine });
    const { status, body } = await call<ClientBody>("POST", `/clients/${client.id}/rotate-secret`);
    expect(status).toBe(200);
    expect(await works(client, client.client_secret)).toBe(false);
    expect(await works(client, body.client_secret)).toBe(true);
  });

  it("or after an overlap", async () => {
    const client = await create({ ...machine });
    const { body } = await call<ClientBody>("POST", `/clients/${client.id}/rotate-secret`, { overlap: 60 });
    const both = async () => [
      await works(client, client.client_secret),
      await works(client, body.client_secret),
    ];
    expect(await both()).toEqual([true, true]);
    server.clock.advance(60);
    expect(await both()).toEqual([false, true]);
  });

  it("lets no older overlap grow", async () => {
    const client = await create({ ...machine });
    await call("POST", `/clients/${client.id}/rotate-secret`, { overlap: 60 });
    await call("POST", `/clients/${client.id}/rotate-secret`, { overlap: 3600 });
    server.clock.advance(61);
    expect(await works(client, client.client_secret)).toBe(false);
  });

  it("is written down, without the secret", async () => {
    const client = await create();
    const { body } = await call<ClientBody>("POST", `/clients/${client.id}/rotate-secret`, { overlap: 5 });
    const event = (await auditOf(server, client.id)).at(-1);
    expect(event).toMatchObject({ type: "client.secret_rotated", details: { overlap_seconds: 5 } });
    expect(JSON.stringify(event)).not.toContain(`${body.client_secret}`);
  });

  it("is refused for a client without secrets", async () => {
    const { id } = await create({ token_endpoint_auth_method: "none" });
    expect((await call("POST", `/clients/${id}/rotate-secret`)).status).toBe(409);
  });
});

describe("GET /api/v1/admin/clients/{id}", () => {
  it("knows nothing of an id that is none", async () => {
    for (const id of ["x", "native", newId("client"), newId("user")])
      expect((await call("GET", `/clients/${id}`)).status).toBe(404);
  });
});

describe("DELETE /api/v1/admin/clients/{id}", () => {
  it("ends the client", async () => {
    const client = await create({ ...machine });
    expect((await call("DELETE", `/clients/${client.id}`)).status).toBe(204);
    expect(await works(client, client.client_secret)).toBe(false);
    expect((await call("GET", `/clients/${client.id}`)).status).toBe(404);
    expect((await call("DELETE", `/clients/${client.id}`)).status).toBe(404);
    expect((await auditOf(server, client.id)).at(-1)).toMatchObject({
      type: "client.deleted",
      details: { before: { scope: "reports:read" } },
    });
  });
});
