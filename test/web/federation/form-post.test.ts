/** A provider that answers by form_post and knows its clients by JWTs, as Apple does. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from "jose";
import { Browser } from "../../attacks/support.ts";
import { connect, isSignedIn, leave, linkedTo, upstreamsAllowed } from "../../support/federation.ts";
import { findUserById } from "../../../src/domain/users/service.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let subject: string;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(() => {
  subject = crypto.randomUUID();
  upstream.person = { sub: subject, id: subject };
  upstream.requests.length = 0;
});

describe("a provider that answers by form_post (Apple)", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const apple = () =>
    connect(server, {
      preset: "apple",
      key: `apple-${crypto.randomUUID().slice(0, 8)}`,
      config: {
        issuer: upstream.url,
        client_id: "com.example.us",
        team_id: "TEAM123456",
        key_id: "KEY1234567",
      },
      secrets: { private_key: privateKey.export({ format: "pem", type: "pkcs8" }).toString() },
    });

  /** The form that the provider's page sends, with what the browser would send of it: no cookie of ours. */
  async function posted(url: URL, changes: Record<string, string> = {}) {
    const html = await (await fetch(url)).text();
    const action = /action="([^"]*)"/.exec(html)?.[1] ?? "";
    const fields = Object.fromEntries(
      [...html.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
    );
    return fetch(action, {
      method: "POST",
      redirect: "manual",
      headers: { origin: upstream.url, "sec-fetch-site": "cross-site" },
      body: new URLSearchParams({ ...fields, ...changes }),
    });
  }

  it("is taken on to where the browser's cookie is sent, with the code out of sight, and signs in there", async () => {
    const connection = await apple();
    const browser = new Browser(server.url);
    const url = await leave(browser, connection);
    expect(url.searchParams.get("response_mode")).toBe("form_post");
    const response = await posted(url);
    expect(response.status).toBe(303);
    // It would take the place of the cookie that the browser has and did not send.
    expect(response.headers.getSetCookie()).toEqual([]);
    const location = response.headers.get("location") ?? "";
    expect(location).toStartWith(`/oauth/social/${connection.key}/callback?answer=`);
    expect(location).not.toContain("code-");
    expect((await browser.get(location)).headers.get("location")).toBe("/account");
    expect(isSignedIn(browser)).toBe(true);
  });

  it("is sent a client secret that is a JWT of its team, signed by its key, and used again while it holds", async () => {
    const connection = await apple();
    for (const _ of [1, 2]) {
      const browser = new Browser(server.url);
      const response = await posted(await leave(browser, connection));
      await browser.get(response.headers.get("location") ?? "");
    }
    const [first, second] = upstream.requestsTo("/token").map(({ body }) => body.get("client_secret") ?? "");
    expect(second).toBe(first ?? "");
    expect(decodeProtectedHeader(first ?? "")).toMatchObject({ alg: "ES256", kid: "KEY1234567" });
    const key = await importSPKI(publicKey.export({ format: "pem", type: "spki" }).toString(), "ES256");
    const { payload } = await jwtVerify(first ?? "", key, {
      issuer: "TEAM123456",
      audience: upstream.url,
      subject: "com.example.us",
      currentDate: server.clock.now(),
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(15_777_000);

    server.clock.advance(3600);
    const browser = new Browser(server.url);
    await browser.get((await posted(await leave(browser, connection))).headers.get("location") ?? "");
    const renewed = upstream.requestsTo("/token").at(-1)?.body.get("client_secret") ?? "";
    expect(decodeJwt(renewed).iat).toBeGreaterThan(payload.iat ?? 0);
  });

  it("says somebody's name once, in a field of the form, from which no address is taken", async () => {
    const connection = await apple();
    const browser = new Browser(server.url);
    const user = JSON.stringify({
      name: { firstName: "Ada", lastName: "Lovelace" },
      email: "victim@example.com",
    });
    const response = await posted(await leave(browser, connection), { user });
    await browser.get(response.headers.get("location") ?? "");
    const account = await linkedTo(server, connection, subject);
    const found = account && (await findUserById(server.deps, server.tenant.id, account.userId));
    expect(found).toMatchObject({ givenName: "Ada", familyName: "Lovelace", email: null });
    expect(account?.email).toBeNull();
  });

  /** Guards: round-trip.ts (isBrowsers); social.routes.ts, answerOf (the tenant in the seal, ANSWER_SECONDS). */
  it("is of no use in another browser, to another tenant, or a minute later", async () => {
    const connection = await apple();
    const browser = new Browser(server.url);
    const location = (await posted(await leave(browser, connection))).headers.get("location") ?? "";
    const victim = new Browser(server.url);
    await leave(victim, connection);
    expect((await victim.get(location)).status).toBe(400);
    server.clock.advance(61);
    expect((await browser.get(location)).status).toBe(400);
    expect(isSignedIn(browser)).toBe(false);
    expect((await browser.get(location.replace("answer=", "answer=x"))).status).toBe(400);
  });
});
