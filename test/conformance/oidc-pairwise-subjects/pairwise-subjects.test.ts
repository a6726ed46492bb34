/** OpenID Connect Core §8: what clients know a person by. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { decodeJwt } from "jose";
import * as client from "openid-client";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, type Application, logIn, registerApplication } from "../support.ts";

let server: TestServer;
let ada: User;
let bob: User;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  bob = await addUser(server, "bob");
});
afterAll(() => server.stop());

const application = (redirectUri: string, sectorIdentifierUri: string | null = null): Promise<Application> =>
  registerApplication(server, {
    row: { subjectType: "pairwise", sectorIdentifierUri, redirectUris: [REDIRECT_URI, redirectUri] },
  });

/** Registered by all: where the tests' applications are answered. The sector comes from what is registered first. */
const REDIRECT_URI = "https://app.example.com/callback";

async function subjects(app: Application, user: User) {
  const { tokens } = await logIn(app, createHttpBrowser(server.url), user);
  const claims = tokens.claims();
  if (!claims) throw new Error("no ID token");
  const userinfo = await client.fetchUserInfo(app.config, tokens.access_token, claims.sub);
  return { tokens, sub: claims.sub, userinfo: userinfo.sub, access: decodeJwt(tokens.access_token).sub };
}

describe("a pairwise subject (OpenID Connect Core §8.1)", () => {
  it("is not the user's id, and the same in ID token, access token and UserInfo", async () => {
    const seen = await subjects(await application("https://app.example.com/other"), ada);
    expect(seen.sub).not.toContain(ada.id);
    expect(seen.sub.length).toBeLessThanOrEqual(255);
    expect([seen.userinfo, seen.access]).toEqual([seen.sub, seen.sub]);
  });

  it("stays the same over sign-ins and refreshes", async () => {
    const app = await application("https://app.example.com/other");
    const first = await subjects(app, ada);
    const refreshed = await client.refreshTokenGrant(app.config, first.tokens.refresh_token ?? "");
    expect(refreshed.claims()?.sub).toBe(first.sub);
    expect((await subjects(app, ada)).sub).toBe(first.sub);
  });

  it("is shared by clients of one sector and by no others", async () => {
    const first = await subjects(await application("https://app.example.com/a"), ada);
    const same = await subjects(await application("https://app.example.com/b"), ada);
    const other = await subjects(
      await application("https://app.example.com/c", "https://elsewhere.example/sector.json"),
      ada,
    );
    expect(same.sub).toBe(first.sub);
    expect(other.sub).not.toBe(first.sub);
  });

  it("comes with a `sid` that clients of other sectors cannot compare either", async () => {
    const sidOf = async (app: Application, browser: HttpBrowser) => {
      const { tokens } = await logIn(app, browser, ada);
      expect(decodeJwt(tokens.access_token)["sid"]).toBe(tokens.claims()?.["sid"]);
      return tokens.claims()?.["sid"];
    };
    const browser = createHttpBrowser(server.url);
    const first = await application("https://app.example.com/a");
    const other = await application("https://app.example.com/c", "https://elsewhere.example/sector.json");
    const sid = await sidOf(first, browser);
    expect(await sidOf(first, browser)).toBe(sid);
    expect(await sidOf(other, browser)).not.toBe(sid);
  });

  it("tells two people apart", async () => {
    const app = await application("https://app.example.com/other");
    expect((await subjects(app, bob)).sub).not.toBe((await subjects(app, ada)).sub);
  });

  it("differs from tenant to tenant for one sector: the salt is the tenant's own", async () => {
    const other = await createTenant(server.deps, { slug: "pairwise", name: "Pairwise" });
    expect(other.pairwiseSalt.equals(server.tenant.pairwiseSalt)).toBe(false);
    expect(other.pairwiseSalt.length).toBe(32);
  });
});
