/** Client ID metadata documents of strangers (draft-ietf-oauth-client-id-metadata-document-02 §8). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { createCaches } from "../../src/db/caches.ts";
import { clients } from "../../src/db/schema/index.ts";
import { cleanUp } from "../../src/domain/maintenance/service.ts";
import { createOutbound } from "../../src/outbound/client.ts";
import { findClient as findClientOf } from "../../src/domain/clients/service.ts";
import { type DocumentHost, startDocumentHost } from "../support/client-documents.ts";
import { eventually } from "../support/queue.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  Browser,
  createApp,
  createOtherTenant,
  register,
  tokenRequest,
} from "./support.ts";

const EVIL = "https://evil.example/cb";
let host: DocumentHost;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost();
  server = await startTestServer({ outbound: host.outbound });
  await server.configure({ client_id_metadata_documents: true });
});
afterAll(async () => {
  await server.stop();
  await host.stop();
});

const findClient = (clientId: string) => findClientOf(server.deps, server.tenant.id, clientId);
let documents = 0;
function publish(changes: Record<string, unknown> = {}): string {
  const path = `/app-${++documents}.json`;
  const clientId = host.origin + path;
  const body = {
    client_id: clientId,
    client_name: "App",
    redirect_uris: ["https://app.example/cb"],
    ...changes,
  };
  host.publish(path, { body });
  return clientId;
}

/** What comes of an authorization request for such a client, in the browser of somebody who is signed in. */
async function authorize(clientId: string, redirectUri: string) {
  const person = await register(server.url);
  const browser = new Browser(server.url);
  await browser.signIn(person.username);
  const made = await createApp(server);
  const app: App = { ...made, client: { ...made.client, clientId }, redirectUri };
  const response = await browser.get(`/oauth/authorize?${authorizationParameters(app, { scope: "openid" })}`);
  return { browser, response };
}

describe("A document", () => {
  /** Guard: client_id has to be the address (readMetadataDocument): else a copy of it speaks for another client. */
  it("does not speak for another client", async () => {
    const honest = publish();
    const copy = publish({ client_id: honest, redirect_uris: [EVIL] });
    expect(await findClient(copy)).toBeUndefined();
    expect((await findClient(honest))?.redirectUris).toEqual(["https://app.example/cb"]);
  });

  /** Guard: only a 200 is a document; outbound follows no redirect here. An open redirect would lend out its host. */
  it("is not one that the host redirects to", async () => {
    const there = "/there.json";
    const clientId = `${host.origin}/open-redirect.json`;
    host.publish(there, { body: { client_id: clientId, client_name: "Bank", redirect_uris: [EVIL] } });
    for (const status of [301, 302, 303, 307, 308]) {
      host.publish("/open-redirect.json", { status, headers: { location: there } });
      expect(await findClient(clientId)).toBeUndefined();
    }
    expect(host.visits(there)).toBe(0);
  });

  /** Guard: isJsonType. What users uploaded to a host is often served as text or as a download. */
  it("is not a file that somebody uploaded", async () => {
    for (const type of ["text/plain", "application/octet-stream", "text/html", "image/svg+xml"]) {
      const clientId = publish();
      const path = new URL(clientId).pathname;
      const body = { client_id: clientId, client_name: "Bank", redirect_uris: [EVIL] };
      host.publish(path, { body, headers: { "content-type": type } });
      expect(await findClient(clientId)).toBeUndefined();
    }
  });

  /** Guard: narrow and registrationMembers, as for dynamic registration; firstParty is set to false once more by
   * findClient. */
  it("does not make its client one of ours", async () => {
    const clientId = publish({
      first_party: true,
      scope: "openid admin",
      resources: ["https://api.example/"],
      grant_types: ["authorization_code", "client_credentials"],
    });
    expect(await findClient(clientId)).toMatchObject({
      origin: "metadata_document",
      firstParty: false,
      scopes: ["openid"],
      resources: [],
      grantTypes: ["authorization_code"],
    });
    const { response } = await authorize(clientId, "https://app.example/cb");
    expect(response.headers.get("location")).toContain("consent");
  });

  /** Guard: §4.1, a secret that the document's readers know is none. */
  it("establishes no secret", async () => {
    const secrets = [
      { client_secret: "s3cret" },
      { token_endpoint_auth_method: "client_secret_post" },
      { token_endpoint_auth_method: "client_secret_basic" },
    ];
    for (const changes of secrets) expect(await findClient(publish(changes))).toBeUndefined();
    const clientId = publish();
    const client = await findClient(clientId);
    if (!client) throw new Error("no client");
    const app = { base: server.url, client, secret: "s3cret", redirectUri: EVIL };
    expect((await tokenRequest(app, { grant_type: "authorization_code", code: "x" })).status).toBe(401);
  });

  /** Guard: the keys of private_key_jwt are needed (keyProblems), and secret members refused (jwksProblem). */
  it("with a private key in it is refused", async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    const jwks = { keys: [await crypto.subtle.exportKey("jwk", pair.privateKey)] };
    expect(
      await findClient(publish({ token_endpoint_auth_method: "private_key_jwt", jwks })),
    ).toBeUndefined();
  });

  /** Guard: exact comparison of redirect URIs, with those of the document. */
  it("has its codes sent to its own redirect URIs alone", async () => {
    const clientId = publish();
    for (const uri of [EVIL, "https://app.example/cb/", "https://app.example/cb?x"]) {
      const { response } = await authorize(clientId, uri);
      expect([uri, response.status, response.headers.get("location")]).toEqual([uri, 400, null]);
    }
  });
});

describe("A client_id", () => {
  /**
   * Guard: isClientIdentifierUrl. One spelling for each address: a client that is known by two, or whose name shows
   * another host than the one that is asked, could be taken for another one.
   */
  it("has one spelling", async () => {
    const clientId = publish();
    const { host: at, pathname } = new URL(clientId);
    const spellings = [
      `https://bank.example@${at}${pathname}`,
      `https://${at.toUpperCase()}${pathname}`,
      `https://${at}/x/..${pathname}`,
      `https://${at}/%2e${pathname}`,
      `https://${at}${pathname}#bank.example`,
      `https:\\\\${at}${pathname}`,
      `https://${at}\t${pathname}`,
      `http://${at}${pathname}`,
    ];
    for (const spelling of spellings) {
      host.publish(pathname, { body: { client_id: spelling, client_name: "Bank", redirect_uris: [EVIL] } });
      expect([spelling, await findClient(spelling)]).toEqual([spelling, undefined]);
    }
    expect(host.visits(pathname)).toBe(0);
  });

  /** Guard: outbound refuses what is not a public address (§8.6), and nobody is told why. */
  it("does not make the server ask its own network", async () => {
    const asked: string[] = [];
    const real = createOutbound();
    const watched = {
      async request(...of: Parameters<typeof real.request>) {
        try {
          return await real.request(...of);
        } catch (error) {
          asked.push(`${error}`);
          throw error;
        }
      },
    };
    const deps = { ...server.deps, outbound: watched };
    const addresses = [
      "https://127.0.0.1/a.json",
      "https://localhost/a.json",
      "https://[::1]/a.json",
      "https://169.254.169.254/latest/meta-data/",
      "https://10.0.0.1/a.json",
      "https://[::ffff:7f00:1]/a.json",
    ];
    for (const address of addresses)
      expect([address, await findClientOf(deps, server.tenant.id, address)]).toEqual([address, undefined]);
    expect(asked).toHaveLength(addresses.length);
  });

  /** Guard: MAX_UNDER_WAY. Hosts that never answer must not hold as many connections as somebody makes up addresses. */
  it("does not make the server wait for any number of hosts at once", async () => {
    const waiting: (() => void)[] = [];
    const outbound = {
      request: () =>
        new Promise<never>((_resolve, reject) => waiting.push(() => reject(new Error("no answer")))),
    };
    const deps = { ...server.deps, outbound, caches: createCaches() };
    const found = Array.from({ length: 100 }, (_, index) =>
      findClientOf(deps, server.tenant.id, `https://slow-${index}.example/a.json`),
    );
    const refused: unknown[] = [];
    for (const one of found) void one.then((client) => refused.push(client));
    await eventually("an answer to the others", () => refused.length === 36, 5000);
    expect(waiting).toHaveLength(64);
    for (const end of waiting) end();
    expect(await Promise.all(found)).toEqual(found.map(() => undefined));
  });

  /** Guard: domain/maintenance/repo.ts, deleteUnusedDocumentClients. Addresses cost whoever makes them up nothing. */
  it("that somebody made up leaves nothing behind", async () => {
    const [unused, used, disabled] = [publish(), publish(), publish()];
    for (const clientId of [unused, disabled]) expect(await findClient(clientId)).toBeDefined();
    const asked = await authorize(used, "https://app.example/cb");
    const consent = asked.response.headers.get("location") ?? "";
    expect((await asked.browser.submit(consent, { decision: "allow" })).headers.get("location")).toContain(
      "code=",
    );
    const { db, caches } = server.deps;
    await db.update(clients).set({ enabled: false }).where(eq(clients.clientId, disabled));
    caches.clear();
    const left = async () => (await db.select({ id: clients.clientId }).from(clients)).map(({ id }) => id);
    await cleanUp(server.deps);
    expect(await left()).toEqual(expect.arrayContaining([unused, used, disabled]));
    server.clock.advance(3 * 86_400);
    await cleanUp(server.deps);
    expect(await left()).toEqual(expect.arrayContaining([used, disabled]));
    expect(await left()).not.toContain(unused);
    expect(await findClient(unused)).toBeDefined();
    expect(await findClient(disabled)).toBeUndefined();
  });

  /** Guard: the answer is the same whether there is no host, no document or a wrong one: no scanner for strangers. */
  it("tells a stranger nothing of what was found at it", async () => {
    const wrong = publish({ client_id: "https://other.example/" });
    const answers = new Set<string>();
    for (const clientId of [wrong, `${host.origin}/none.json`, "https://nowhere.invalid/a.json"]) {
      const response = await fetch(`${server.url}/oauth/token`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({
          grant_type: "authorization_code",
          code: "x",
          client_id: clientId,
        }).toString(),
      });
      const { request_id: _id, ...body } = (await response.json()) as Record<string, unknown>;
      answers.add(JSON.stringify([response.status, body]));
    }
    expect([...answers]).toHaveLength(1);
  });

  /** Guard: the tenant's setting, asked on every use and not only when a client is read. */
  it("that is a URL is nothing in a tenant that does not take them", async () => {
    const clientId = publish();
    expect(await findClient(clientId)).toBeDefined();
    const { tenant } = await createOtherTenant(server, "strict");
    expect(await findClientOf(server.deps, tenant.id, clientId)).toBeUndefined();
  });
});
