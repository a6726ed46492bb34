/** An administrator who is signed in as a user: when it ends, and what they cannot do there. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { apiKeys, grants, tokenFamilies } from "../../src/db/schema/index.ts";
import { caller, giveRole, newAdministrator } from "../api/native/admin/support.ts";
import { postForm } from "../support/server.ts";
import {
  account,
  admin,
  app,
  begin,
  end,
  mine,
  newPeople,
  server,
  signedInAsUser,
  user,
  userId,
} from "./impersonation-fixture.ts";
import {
  authorizationParameters,
  basicAuthorization,
  bearer,
  createApp,
  exchangeCode,
  login,
  obtainCode,
  PASSWORD,
  readForm,
  register,
} from "./support.ts";

beforeAll(begin);
afterAll(end);
beforeEach(newPeople);

describe("an impersonated session", () => {
  /** Guard: sessions/service.ts asks `findStandingImpersonation` at each use. */
  it("ends with the administrator's own session", async () => {
    const browser = await signedInAsUser();
    const second = await newAdministrator(server, mine);
    await caller(mine.base, second.token)("DELETE", `/users/${admin.person.id}/sessions`);
    expect((await account(browser)).status).toBe(302);
  });

  /** Guard: standing.ts reads both people's roles at each use. */
  it("ends with the administrator's role, and when the user becomes one", async () => {
    const second = await newAdministrator(server, mine);
    const first = await signedInAsUser();
    await caller(mine.base, second.token)("PUT", `/users/${admin.person.id}`, { roles: [] });
    expect((await account(first)).status).toBe(302);
    const other = await register(mine.base);
    const browser = await signedInAsUser(second.token, other.id);
    await giveRole(server, mine.tenant, other, "admin");
    expect((await account(browser)).status).toBe(302);
  });

  it("ends when its time is over", async () => {
    const browser = await signedInAsUser();
    server.clock.advance(30 * 60 - 1);
    expect((await account(browser)).status).toBe(200);
    server.clock.advance(1);
    expect((await account(browser)).status).toBe(302);
  });

  /** Guard: web/impersonation-guard.ts: no form but those that end it. */
  it("takes no form of the pages, whatever it is for", async () => {
    const browser = await signedInAsUser();
    const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
      paths: Record<string, Record<string, { tags?: string[] }>>;
    };
    const forms = Object.entries(paths)
      .filter(([, { post }]) => post?.tags?.includes("Hosted pages"))
      .map(([path]) => path.replaceAll(/\{\w+\}/g, "x"));
    expect(forms.length).toBeGreaterThan(40);
    const ending = ["/impersonation/end", "/signout", "/oauth/logout", "/oauth/logout/confirm"];
    const csrf = readForm((await account(browser)).html, "/impersonation/end").fields["csrf"] ?? "";
    for (const path of forms.filter((one) => !ending.includes(one))) {
      const response = await browser.post(path, { csrf });
      const why = (await response.text()).includes("Only the user themselves may do this.");
      expect([path, response.status, why]).toEqual([path, 403, true]);
    }
    expect((await account(browser)).status).toBe(200);
  });

  it("opens no page that leads to what only the user does", async () => {
    const browser = await signedInAsUser();
    for (const path of [
      "/account/security/email",
      "/account/security/password",
      "/account/security/totp/new",
      "/account/security/passkeys/new",
      "/account/security/backup-codes",
      "/account/security/api-keys/new",
      "/account/security/delete",
      "/account/security/export",
      "/signin/step-up",
      "/device",
      "/oauth/consent",
    ])
      expect([path, (await browser.get(path)).status]).toEqual([path, 403]);
  });

  it("gives consent to no application", async () => {
    const stranger = await createApp(server, { firstParty: false }, mine);
    const browser = await signedInAsUser();
    const asked = await browser.get(`/oauth/authorize?${authorizationParameters(stranger)}`);
    const to = asked.headers.get("location") ?? "";
    expect(to).toContain("/oauth/consent");
    expect((await browser.get(to)).status).toBe(403);
    expect(await server.deps.db.$count(grants, eq(grants.userId, userId(user)))).toBe(0);
  });
});

describe("a token of an impersonated session", () => {
  async function tokens(scope = "openid profile email offline_access") {
    const browser = await signedInAsUser();
    const answer = await exchangeCode(app, await obtainCode(browser, app, { scope }));
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { access_token: string; id_token: string; refresh_token?: string };
    return { ...body, browser };
  }

  const claimsOf = (jwt: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

  /** Guard: mint.ts `actor`. */
  it("says who acts (RFC 8693 §4.1), and is for the user", async () => {
    const made = await tokens();
    for (const jwt of [made.access_token, made.id_token]) {
      expect(claimsOf(jwt)["act"]).toEqual({ sub: admin.person.id });
      expect(claimsOf(jwt)["sub"]).toBe(user.id);
    }
  });

  /** Guard: tokens/issue.ts `lasting`, and `notAfter` in mint.ts. */
  it("is not refreshed, and ends with the session", async () => {
    const made = await tokens();
    expect(made.refresh_token).toBeUndefined();
    const [family] = await server.deps.db
      .select({ offline: tokenFamilies.offline })
      .from(tokenFamilies)
      .where(eq(tokenFamilies.userId, userId(user)));
    expect(family?.offline).toBe(false);
    const left = Number(claimsOf(made.access_token)["exp"]) - server.clock.now().getTime() / 1000;
    expect(left).toBeLessThanOrEqual(30 * 60);
  });

  /** Guard: access.ts `mayActorAct`, and that `findStandingAccessToken` asks it. */
  it("is dead with the administrator's session", async () => {
    const made = await tokens();
    const userinfo = () => fetch(`${mine.base}/oauth/userinfo`, { headers: bearer(made.access_token) });
    const told = async () => {
      const form = { token: made.access_token };
      const answer = await postForm(`${mine.base}/oauth/introspect`, form, basicAuthorization(app));
      return answer.json();
    };
    expect((await userinfo()).status).toBe(200);
    expect(await told()).toMatchObject({ active: true, act: { sub: admin.person.id } });
    const second = await newAdministrator(server, mine);
    await caller(mine.base, second.token)("DELETE", `/users/${admin.person.id}/sessions`);
    expect((await userinfo()).status).toBe(401);
    expect(await told()).toEqual({ active: false });
  });

  it("is dead when it was ended", async () => {
    const made = await tokens();
    const form = readForm((await account(made.browser)).html, "/impersonation/end");
    await made.browser.post(form.action, form.fields);
    const userinfo = await fetch(`${mine.base}/oauth/userinfo`, { headers: bearer(made.access_token) });
    expect(userinfo.status).toBe(401);
  });

  /** Guard: me-access.ts `delegated`. */
  it("changes nothing of the account, and makes no keys", async () => {
    const { access_token: token } = await tokens();
    expect((await fetch(`${mine.base}/me`, { headers: bearer(token) })).status).toBe(200);
    const attempts: [string, string, unknown?][] = [
      ["POST", "/me/password", { new_password: `N3w-${PASSWORD}`, current_password: PASSWORD }],
      ["POST", "/me/email", { email: "x@example.com" }],
      ["POST", "/me/phones", { number: "+491701234567" }],
      ["POST", "/me/api-keys", { name: "x", scopes: ["account:read"] }],
      ["PATCH", "/me", { given_name: "X" }],
      ["DELETE", "/me"],
      ["DELETE", "/me/sessions"],
      ["POST", "/me/export", {}],
      ["POST", "/mfa/totp/enroll", {}],
      ["GET", "/api/v1/admin/users"],
    ];
    for (const [method, path, body] of attempts) {
      const response = await fetch(mine.base + path, {
        method,
        headers: { "content-type": "application/json", ...bearer(token) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect([path, response.status]).toEqual([path, 403]);
    }
    expect(await server.deps.db.$count(apiKeys, eq(apiKeys.userId, userId(user)))).toBe(0);
  });

  it("as an administrator, by who administers all, administers nothing", async () => {
    const chief = await register(mine.base);
    await giveRole(server, mine.tenant, chief, "super_admin");
    const { access_token: ofChief } = await login(mine.base, chief.username);
    const browser = await signedInAsUser(ofChief, admin.person.id);
    const answer = await exchangeCode(app, await obtainCode(browser, app));
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const response = await fetch(`${mine.base}/api/v1/admin/users`, { headers: bearer(token) });
    expect(response.status).toBe(403);
  });
});
