/** Ways in which applications could find out that their users are one and the same (OpenID Connect Core §8.1, §17.3). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  bearer,
  type Browser,
  createApp,
  exchangeCode,
  obtainCode,
  type Person,
  readForm,
  signedIn,
  type Tokens,
  tokensOf,
  authorizationParameters,
  newVerifier,
} from "./support.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";

let server: TestServer;
let browser: Browser;
let person: Person;

beforeAll(async () => {
  server = await startTestServer();
  ({ browser, person } = await signedIn(server.url));
  server.clock.advance(1);
});
afterAll(() => server.stop());

const pairwise = (host: string, firstParty = false): Promise<App> =>
  createApp(server, { firstParty, subjectType: "pairwise", redirectUris: [`https://${host}/cb`] });

/** Tokens of an application that the person lets in. */
async function tokensFor(app: App): Promise<Tokens> {
  const verifier = newVerifier();
  const parameters = authorizationParameters(app, { code_challenge: s256Challenge(verifier) });
  const asked = await browser.get(`/oauth/authorize?${parameters}`);
  const form = readForm(
    await (await browser.get(asked.headers.get("location") ?? "")).text(),
    "/oauth/consent",
  );
  const answer = await browser.post(form.action, { ...form.fields, decision: "allow" });
  const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
  return tokensOf(exchangeCode(app, { code, verifier }));
}

const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

describe("two applications of different sectors", () => {
  /** Guard: domain/access-tokens/subject.ts, subjectOf and sessionIdOf, wherever a token or an answer is made. */
  it("share nothing that names a person or a session, in tokens, at UserInfo and in introspection", async () => {
    const told = [];
    for (const host of ["one.example", "two.example"]) {
      const app = await pairwise(host);
      const { access_token, id_token } = await tokensFor(app);
      const userinfo = await fetch(`${server.url}/oauth/userinfo`, { headers: bearer(access_token) });
      const introspected = await fetch(`${server.url}/oauth/introspect`, {
        method: "POST",
        headers: basicAuthorization(app),
        body: new URLSearchParams({ token: access_token }),
      });
      told.push([
        claimsOf(access_token),
        claimsOf(id_token),
        (await userinfo.json()) as Record<string, unknown>,
        (await introspected.json()) as Record<string, unknown>,
      ]);
    }
    const names = (all: Record<string, unknown>[]) =>
      all.flatMap(({ sub, sid, fam, jti, at_hash }) => [sub, sid, fam, jti, at_hash]).filter(Boolean);
    const [one = [], two = []] = told.map(names);
    expect(one.length).toBeGreaterThan(8);
    expect(one.filter((name) => two.includes(name))).toEqual([]);
    expect(JSON.stringify(told)).not.toContain(person.id);
  });

  /** Guard: http/scope.ts, requirePublicSubject. */
  it("do not learn at /me who the person is to everybody", async () => {
    const { access_token } = await tokensFor(await pairwise("three.example"));
    const answer = await fetch(`${server.url}/me`, { headers: bearer(access_token) });
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain(person.id);
    const own = await pairwise("four.example", true);
    const { access_token: ours } = await tokensOf(exchangeCode(own, await obtainCode(browser, own)));
    expect((await fetch(`${server.url}/me`, { headers: bearer(ours) })).status).toBe(200);
  });
});

describe("one application at two ports of its host", () => {
  /** Guard: protocol/oidc/subject.ts, sectorIdentifier (hostname): registration takes it, so it must not fail later. */
  it("knows its users by one name", async () => {
    const redirectUris = ["https://five.example/cb", "https://five.example:8443/cb"];
    const app = await createApp(server, { subjectType: "pairwise", redirectUris });
    const [first, second] = await Promise.all(
      redirectUris.map(async (redirectUri) => {
        const at = { ...app, redirectUri };
        return claimsOf((await tokensOf(exchangeCode(at, await obtainCode(browser, at)))).id_token)["sub"];
      }),
    );
    expect(first).toBe(second);
  });
});
