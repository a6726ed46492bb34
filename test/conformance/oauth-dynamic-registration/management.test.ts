/** Dynamic client registration management: RFC 7592. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { findClient } from "../../../src/domain/clients/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { updateClient, findClientById, describeClient } from "../../../src/domain/clients/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { REDIRECT_URI } from "../support.ts";

interface Registered extends Record<string, unknown> {
  client_id: string;
  client_secret?: string;
  registration_access_token: string;
  registration_client_uri: string;
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ dynamic_registration: "open" });
});
afterAll(() => server.stop());

const sound = { client_name: "App", redirect_uris: [REDIRECT_URI] };
const register = async (metadata: Record<string, unknown> = {}): Promise<Registered> =>
  (await (await postJson(`${server.url}/oauth/register`, { ...sound, ...metadata })).json()) as Registered;

async function manage(method: string, of: Registered, body?: unknown, token = of.registration_access_token) {
  const response = await fetch(of.registration_client_uri, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? {} : JSON.parse(text)) as Registered,
  };
}

describe("RFC 7592 §2.1: read", () => {
  it("answers what is registered, without a secret that nobody knows any more", async () => {
    const registered = await register({ scope: "openid" });
    const { client_secret: _secret, client_secret_expires_at: _expiry, ...rest } = registered;
    const { status, body, headers } = await manage("GET", registered);
    expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(body).toEqual(rest);
  });
});

describe("RFC 7592 §2.2: update", () => {
  it("replaces all metadata", async () => {
    const registered = await register({ logo_uri: "https://app.example.com/logo.png" });
    const update = { ...sound, client_id: registered.client_id, client_name: "Other" };
    const { status, body } = await manage("PUT", registered, update);
    expect([status, body["client_name"]]).toEqual([200, "Other"]);
    expect(body).not.toHaveProperty("logo_uri");
    // Neither is rotated: see `requireRegistration`.
    expect(body.registration_access_token).toBe(registered.registration_access_token);
    expect(body).not.toHaveProperty("client_secret");
    expect((await manage("GET", registered)).body["client_name"]).toBe("Other");
  });

  it("is refused without the client_id, with another, with a wrong secret and with what only the server says", async () => {
    const registered = await register();
    const { client_id, client_secret } = registered;
    const wrong: Record<string, unknown>[] = [
      sound,
      { ...sound, client_id: "client_other" },
      { ...sound, client_id, client_secret: "wrong" },
      { ...sound, client_id, registration_access_token: registered.registration_access_token },
      { ...sound, client_id, registration_client_uri: registered.registration_client_uri },
      { ...sound, client_id, client_id_issued_at: 1 },
      { ...sound, client_id, client_secret, client_secret_expires_at: 0 },
    ];
    for (const body of wrong) {
      const answer = await manage("PUT", registered, body);
      expect([answer.status, answer.body["error"]]).toEqual([400, "invalid_client_metadata"]);
    }
    expect((await manage("PUT", registered, { ...sound, client_id, client_secret })).status).toBe(200);
  });

  it("is refused for metadata that could not be registered", async () => {
    const registered = await register();
    const { client_id } = registered;
    const answer = await manage("PUT", registered, {
      ...sound,
      client_id,
      redirect_uris: ["http://a.example/"],
    });
    expect([answer.status, answer.body["error"]]).toEqual([400, "invalid_redirect_uri"]);
  });

  it("makes a secret for a client that comes to need one", async () => {
    const registered = await register({ token_endpoint_auth_method: "none" });
    const { body } = await manage("PUT", registered, { ...sound, client_id: registered.client_id });
    expect(body.client_secret).toStartWith("csec_");
  });

  it("does not reach what an administrator said of the client", async () => {
    const registered = await register();
    const { client_id } = registered;
    if (!isId("client", client_id)) throw new Error("not an id");
    const found = await findClientById(server.deps, server.tenant.id, client_id);
    if (!found) throw new Error("no client");
    const description = {
      ...describeClient(found),
      access_token_lifetime: 61,
      access_token_format: "opaque",
    };
    const by = { actor: { type: "system" }, context: systemContext } as const;
    await updateClient(server.deps, server.tenant.id, client_id, description, by);
    await manage("PUT", registered, { ...sound, client_id });
    expect(await findClient(server.deps, server.tenant.id, client_id)).toMatchObject({
      accessTokenLifetimeSeconds: 61,
      accessTokenFormat: "opaque",
    });
  });
});

describe("RFC 7592 §2.3: delete", () => {
  it("ends the client and its registration access token", async () => {
    const registered = await register();
    const deleted = await manage("DELETE", registered);
    expect([deleted.status, deleted.headers.get("cache-control")]).toEqual([204, "no-store"]);
    expect(await findClient(server.deps, server.tenant.id, registered.client_id)).toBeUndefined();
    expect((await manage("GET", registered)).status).toBe(401);
  });
});

describe("RFC 7592 §2: the registration access token", () => {
  it("is needed, and is that of the client", async () => {
    const [mine, theirs] = [await register(), await register()];
    const wrong = [
      theirs.registration_access_token,
      `${mine.client_secret}`,
      "x",
      mine.registration_access_token + "x",
    ];
    for (const token of wrong) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await manage(
          method,
          mine,
          method === "PUT" ? { ...sound, client_id: mine.client_id } : undefined,
          token,
        );
        expect([method, answer.status, answer.body["error"]]).toEqual([method, 401, "invalid_token"]);
        expect(answer.headers.get("www-authenticate")).toStartWith("Bearer ");
      }
    }
    expect((await fetch(mine.registration_client_uri)).status).toBe(401);
    expect((await manage("GET", mine)).status).toBe(200);
  });

  it("is good for nothing where registration is switched off", async () => {
    const registered = await register();
    await server.configure({ dynamic_registration: "off" });
    try {
      expect((await manage("GET", registered)).status).toBe(401);
    } finally {
      await server.configure({ dynamic_registration: "open" });
    }
  });

  it("of a client that is not there is answered like a wrong one", async () => {
    const registered = await register();
    const { client } = await server.createClient({ redirectUris: [REDIRECT_URI] });
    for (const id of ["x", "native", client.clientId]) {
      const answer = await manage("GET", {
        ...registered,
        registration_client_uri: `${server.url}/oauth/register/${id}`,
      });
      expect([id, answer.status, answer.body["error"]]).toEqual([id, 401, "invalid_token"]);
    }
  });
});
