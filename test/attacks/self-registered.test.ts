/** What a client that registered itself might do beyond what it was let do (RFC 7591 §5, RFC 7662 §4). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import {
  findClient,
  findClientById,
  updateClient,
  describeClient,
} from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { isId } from "../../src/lib/ids.ts";
import type { OutboundResponse } from "../../src/outbound/client.ts";
import { configureClient } from "../support/client-row.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  authorizationParameters,
  createApp,
  exchangeCode,
  obtainCode,
  REDIRECT_URI,
  signedIn,
  tokensOf,
} from "./support.ts";

const API = "https://api.example/";

let server: TestServer;
/** Answers the next request to the internet. */
let answer: ((document: unknown) => void) | undefined;
let asked = Promise.withResolvers<void>();

beforeAll(async () => {
  server = await startTestServer({
    outbound: {
      request() {
        const { promise, resolve } = Promise.withResolvers<OutboundResponse>();
        answer = (document) =>
          resolve({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(document)) });
        asked.resolve();
        return promise;
      },
    },
  });
  await server.configure({ dynamic_registration: "open", self_registered_resources: [API] });
});
afterAll(() => server.stop());

const metadata = { client_name: "App", redirect_uris: [REDIRECT_URI] };

async function register() {
  const response = await postJson(`${server.url}/oauth/register`, metadata);
  return (await response.json()) as {
    client_id: string;
    client_secret: string;
    registration_access_token: string;
    registration_client_uri: string;
  };
}

describe("a registered client that an administrator disables", () => {
  /** Guard: domain/client-registration/service.ts, administrators(before) inside replaceMetadata's transaction. */
  it("is not enabled again by an update of its own that takes its time", async () => {
    const { client_id, registration_access_token: token, registration_client_uri: uri } = await register();
    asked = Promise.withResolvers<void>();
    const update = fetch(uri, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ ...metadata, client_id, sector_identifier_uri: "https://slow.example/list" }),
    });
    await asked.promise;
    if (!isId("client", client_id)) throw new Error("not a client's id");
    const client = await findClientById(server.deps, server.tenant.id, client_id);
    if (!client) throw new Error("no such client");
    const { sector_identifier_uri: _, ...description } = describeClient(client);
    const by = { actor: { type: "system" }, context: systemContext } as const;
    await updateClient(
      server.deps,
      server.tenant.id,
      client_id,
      { ...description, grant_types: ["authorization_code"], enabled: false },
      by,
    );
    answer?.([REDIRECT_URI]);
    expect((await update).status).toBe(401);
    expect(await findClient(server.deps, server.tenant.id, client_id)).toBeUndefined();
  });
});

describe("a registered client that becomes another application", () => {
  /** Guard: domain/clients/administration.ts, replaceMetadata (forgetConsents). */
  it("has nobody's agreement any more", async () => {
    const { client_id, registration_access_token: token, registration_client_uri: uri } = await register();
    const { browser } = await signedIn(server.url);
    const app = await createApp(server);
    const client = { ...app.client, clientId: client_id };
    const ask = async (redirectUri: string) => {
      const parameters = authorizationParameters({ ...app, client, redirectUri }, { scope: "openid" });
      return (await browser.get(`/oauth/authorize?${parameters}`)).headers.get("location") ?? "";
    };
    await browser.submit(await ask(REDIRECT_URI), { decision: "allow" });
    expect(await ask(REDIRECT_URI)).toContain("code=");
    const update = (changes: Record<string, unknown>) =>
      fetch(uri, {
        method: "PUT",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ ...metadata, client_id, ...changes }),
      });
    await update({ software_version: "2" });
    expect(await ask(REDIRECT_URI)).toContain("code=");
    const elsewhere = "https://evil.example/callback";
    expect((await update({ redirect_uris: [REDIRECT_URI, elsewhere] })).status).toBe(200);
    expect(await ask(elsewhere)).toStartWith("/oauth/consent");
  });
});

describe("a registered client that may ask tokens for an API", () => {
  /** Guard: domain/tokens/introspection.ts, isConcerned (isVouchedFor). */
  it("is told nothing of other clients' tokens for it", async () => {
    const { browser } = await signedIn(server.url);
    const app = await createApp(server);
    await configureClient(server, app, { resources: [API], accessTokenFormat: "opaque" });
    const code = await obtainCode(browser, app, { resource: API });
    const { access_token: token } = await tokensOf(exchangeCode(app, code));
    const introspect = async (clientId: string, secret: string) => {
      const authorization = `Basic ${Buffer.from(`${clientId}:${secret}`).toString("base64")}`;
      return (await postForm(`${server.url}/oauth/introspect`, { token }, { authorization })).json();
    };
    const { client_id, client_secret } = await register();
    expect(await introspect(client_id, client_secret)).toEqual({ active: false });
    const service = await createApp(server, { firstParty: false });
    await configureClient(server, service, { resources: [API] });
    expect(await introspect(service.client.clientId, service.secret ?? "")).toMatchObject({ active: true });
  });
});
