/** What a person still holds after the directory took their access away (RFC 7644 §7.5; CWE-613). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { clients, outbox } from "../../src/db/schema/index.ts";
import { type ScimClient, scimClient } from "../conformance/scim/support.ts";
import { configureClient } from "../support/client-row.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  Browser,
  createApp,
  exchangeCode,
  obtainCode,
  refresh,
  type Tokens,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let scim: ScimClient;
let jwt: App;
let opaque: App;
const password = "C0rrect-Horse!";

beforeAll(async () => {
  server = await startTestServer();
  scim = await scimClient(server);
  jwt = await createApp(server);
  opaque = await createApp(server);
  await configureClient(server, opaque, { accessTokenFormat: "opaque" });
  const backchannelLogoutUri = "https://app.example/logout";
  await server.deps.db.update(clients).set({ backchannelLogoutUri }).where(eq(clients.id, jwt.client.id));
});
afterAll(() => server.stop());

let counter = 0;

/** Somebody provisioned, signed in, with tokens of two applications and of the native sign-in. */
async function settle() {
  const userName = `d${++counter}@example.com`;
  const { status, body: user } = await scim.post("/Users", {
    userName,
    emails: [{ value: userName }],
    password,
  });
  expect(status).toBe(201);
  const browser = new Browser(server.url);
  await browser.signIn(userName, "/signin", password);
  const ofJwt = await tokensOf(exchangeCode(jwt, await obtainCode(browser, jwt)));
  const ofOpaque = await tokensOf(exchangeCode(opaque, await obtainCode(browser, opaque)));
  const native = await tokensOf(postJson(`${server.url}/login`, { identifier: userName, password }));
  return { user, browser, ofJwt, ofOpaque, native };
}

const active = async (app: App, token: string): Promise<boolean> => {
  const answer = await postForm(`${server.url}/oauth/introspect`, { token }, basicAuthorization(app));
  const body: { active: boolean } = await answer.json();
  return body.active;
};

async function holdings({ browser, ofJwt, ofOpaque, native }: Awaited<ReturnType<typeof settle>>) {
  const works = async ({ access_token: token }: Tokens) =>
    Object.values(await whereItWorks(server.url, token));
  return {
    jwt: [await active(jwt, ofJwt.access_token), ...(await works(ofJwt))],
    opaque: [await active(opaque, ofOpaque.access_token), ...(await works(ofOpaque))],
    native: (await works(native))[0],
    session: (await browser.get("/account")).status,
  };
}

const everything = { jwt: [true, 200, 200], opaque: [true, 200, 200], native: 200, session: 200 };

/** Guard: scim-users/service.ts, followActivation and deleteScimUser: in the same transaction, before the worker. */
describe.each([
  [
    "deactivated by PATCH",
    (id: string) => scim.patch(`/Users/${id}`, [{ op: "Replace", path: "active", value: "False" }]),
  ],
  [
    "deactivated by PUT",
    async (id: string) => {
      const { body } = await scim.get(`/Users/${id}`);
      return scim.put(`/Users/${id}`, { ...body, active: false });
    },
  ],
  [
    "deactivated in a bulk request",
    (id: string) =>
      scim.post("/Bulk", {
        Operations: [
          {
            method: "PATCH",
            path: `/Users/${id}`,
            data: { Operations: [{ op: "replace", value: { active: false } }] },
          },
        ],
      }),
  ],
  ["deleted", (id: string) => scim.delete(`/Users/${id}`)],
])("a person who was %s", (how, leave) => {
  it("has no live session or token when the answer arrives", async () => {
    const person = await settle();
    expect(await holdings(person)).toEqual(everything);
    expect((await leave(person.user.id)).status).toBeLessThan(300);
    const { session, ...tokens } = await holdings(person);
    expect(tokens).toEqual({ jwt: [false, 401, 401], opaque: [false, 401, 401], native: 401 });
    expect(session).not.toBe(200);
    for (const [app, { refresh_token: token }] of [
      [jwt, person.ofJwt],
      [opaque, person.ofOpaque],
    ] as const)
      expect((await refresh(app, token)).status).toBe(400);
    const again = await postJson(`${server.url}/login`, { identifier: person.user.userName, password });
    expect(again.status).toBe(401);
    if (how === "deleted") return;

    await scim.patch(`/Users/${person.user.id}`, [{ op: "replace", path: "active", value: true }]);
    // Active again, and still signed out: what was ended stays ended.
    expect(await active(jwt, person.ofJwt.access_token)).toBe(false);
    expect(await active(opaque, person.ofOpaque.access_token)).toBe(false);
    expect((await refresh(jwt, person.ofJwt.refresh_token)).status).toBe(400);
    expect(
      (await postJson(`${server.url}/login`, { identifier: person.user.userName, password })).status,
    ).toBe(200);
  });

  /** OpenID Connect Back-Channel Logout §2.7. Guard: sessions/ending.ts, tellApplications. */
  it("is signed out of the applications too", async () => {
    const person = await settle();
    await leave(person.user.id);
    const jobs = await server.deps.db.select().from(outbox).where(eq(outbox.name, "backchannel_logout"));
    const told = jobs.filter(({ payload }) => payload["user_id"] === person.user.id);
    expect(told.map(({ payload }) => payload["client_id"])).toEqual([jwt.client.id]);
  });
});
