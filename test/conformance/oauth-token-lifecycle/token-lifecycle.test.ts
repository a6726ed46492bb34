/** What becomes of codes and refresh tokens that come a second time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { and, count, eq } from "drizzle-orm";
import * as client from "openid-client";
import { auditEvents, refreshTokens, tokenFamilies } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import {
  addUser,
  type Application,
  type Login,
  logIn,
  refusal,
  registerApplication,
  userinfoStatus,
} from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;
let login: Login;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
  browser = createHttpBrowser(server.url);
});
afterAll(() => server.stop());
beforeEach(async () => {
  app = await registerApplication(server);
  login = await logIn(app, browser, ada);
});

const refresh = (token: string | undefined) => client.refreshTokenGrant(app.config, token ?? "");
const exchange = ({ answer, pending }: Login, checks = pending.checks) =>
  client.authorizationCodeGrant(app.config, answer, checks);

/** The client's families, and the refresh tokens that descend from each. */
async function families() {
  const { db } = server.deps;
  return db
    .select({ revokedReason: tokenFamilies.revokedReason, refreshTokens: count(refreshTokens.id) })
    .from(tokenFamilies)
    .leftJoin(
      refreshTokens,
      and(eq(refreshTokens.tenantId, tokenFamilies.tenantId), eq(refreshTokens.familyId, tokenFamilies.id)),
    )
    .where(eq(tokenFamilies.clientId, app.registered.client.id))
    .groupBy(tokenFamilies.id, tokenFamilies.revokedReason);
}

async function expectRevoked(...tokens: { access_token: string; refresh_token?: string }[]) {
  for (const { access_token, refresh_token } of tokens) {
    expect(await userinfoStatus(server, access_token)).toBe(401);
    expect(await refusal(refresh(refresh_token))).toBe("invalid_grant");
  }
}

describe("RFC 6749 §4.1.2: an authorization code", () => {
  /** oidcc-codereuse, oidcc-codereuse-30seconds */
  it("used a second time is refused, and revokes what it issued", async () => {
    const { tokens } = login;
    expect(await userinfoStatus(server, tokens.access_token)).toBe(200);
    expect(await refusal(exchange(login))).toBe("invalid_grant");
    await expectRevoked(tokens);
    expect(await families()).toEqual([{ revokedReason: "code_replayed", refreshTokens: 1 }]);
  });

  it("used a second time revokes what was refreshed meanwhile, too", async () => {
    const refreshed = await refresh(login.tokens.refresh_token);
    expect(await refusal(exchange(login))).toBe("invalid_grant");
    await expectRevoked(login.tokens, refreshed);
  });

  it("does not touch the person's other sign-ins when it comes a second time", async () => {
    const other = await logIn(app, browser, ada);
    await refusal(exchange(login));
    expect(await userinfoStatus(server, other.tokens.access_token)).toBe(200);
    expect((await refresh(other.tokens.refresh_token)).refresh_token).toBeString();
  });

  it("is written into the audit trail when it comes a second time", async () => {
    await refusal(exchange(login));
    const events = await server.deps.db
      .select({ actorId: auditEvents.actorId })
      .from(auditEvents)
      .where(eq(auditEvents.type, "token.code_replayed"));
    expect(events.map(({ actorId }) => actorId)).toContain(app.registered.client.id);
  });

  it("exchanged by several requests at once gives tokens to one at most, and leaves none that work", async () => {
    const pending = await app.begin();
    const { url } = await browser.open(pending.url);
    const race = { answer: url, pending, tokens: login.tokens };
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => exchange(race)));
    const won = outcomes.filter((outcome) => outcome.status === "fulfilled").map(({ value }) => value);
    expect(won).toHaveLength(1);
    await expectRevoked(...won);
  });

  it("is good for 60 seconds", async () => {
    const [inTime, late] = [await app.begin(), await app.begin()];
    const [inTimeAt, lateAt] = [await browser.open(inTime.url), await browser.open(late.url)];
    server.clock.advance(59);
    const tokens = await client.authorizationCodeGrant(app.config, inTimeAt.url, inTime.checks);
    expect(tokens.access_token).toBeString();
    server.clock.advance(1);
    expect(await refusal(client.authorizationCodeGrant(app.config, lateAt.url, late.checks))).toBe(
      "invalid_grant",
    );
  });

  it("is good for the client it was given to alone, and not used up by another's attempt", async () => {
    const pending = await app.begin();
    const { url } = await browser.open(pending.url);
    const thief = await registerApplication(server);
    expect(await refusal(client.authorizationCodeGrant(thief.config, url, pending.checks))).toBe(
      "invalid_grant",
    );
    expect((await client.authorizationCodeGrant(app.config, url, pending.checks)).access_token).toBeString();
  });

  it("needs the code_verifier of its code_challenge (RFC 7636 §4.6)", async () => {
    const pending = await app.begin();
    const { url } = await browser.open(pending.url);
    const wrong = { ...pending.checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
    expect(await refusal(client.authorizationCodeGrant(app.config, url, wrong))).toBe("invalid_grant");
  });
});

describe("OpenID Connect Core §12.2: a refreshed ID token", () => {
  it("is about the same sign-in, without its nonce", async () => {
    server.clock.advance(60);
    const refreshed = await refresh(login.tokens.refresh_token);
    const [before, after] = [login.tokens.claims(), refreshed.claims()];
    expect(after).toMatchObject({
      iss: before?.iss,
      sub: before?.sub,
      aud: before?.aud,
      auth_time: before?.auth_time,
      acr: before?.["acr"],
      amr: before?.["amr"],
      sid: before?.["sid"],
    });
    expect(Number(after?.iat) - Number(before?.iat)).toBe(60);
    expect(after).not.toHaveProperty("nonce");
  });
});

describe("RFC 6749 §6: the scope of a refreshed access token", () => {
  it("may be narrowed for that token alone, and never widened", async () => {
    const narrow = await client.refreshTokenGrant(app.config, login.tokens.refresh_token ?? "", {
      scope: "openid email",
    });
    expect(narrow.scope).toBe("openid email");
    const whole = await refresh(narrow.refresh_token);
    expect(whole.scope).toBe("openid profile email");
    const wider = client.refreshTokenGrant(app.config, whole.refresh_token ?? "", {
      scope: "openid offline_access",
    });
    expect(await refusal(wider)).toBe("invalid_scope");
  });
});

describe("RFC 9700 §4.14.2: refresh token rotation", () => {
  /** oidcc-refresh-token */
  it("gives a new refresh token each time", async () => {
    const seen = new Set([login.tokens.refresh_token]);
    let current = login.tokens.refresh_token;
    for (let round = 0; round < 3; round++) {
      current = (await refresh(current)).refresh_token;
      seen.add(current);
      server.clock.advance(60);
    }
    expect(seen.size).toBe(4);
    expect(await families()).toEqual([{ revokedReason: null, refreshTokens: 4 }]);
  });

  it("refuses an old refresh token after the retry window, and revokes the family", async () => {
    const refreshed = await refresh(login.tokens.refresh_token);
    server.clock.advance(11);
    expect(await refusal(refresh(login.tokens.refresh_token))).toBe("invalid_grant");
    await expectRevoked(login.tokens, refreshed);
    expect(await families()).toEqual([{ revokedReason: "refresh_token_reused", refreshTokens: 2 }]);
  });

  it("refuses an old refresh token at once when its successor was used, and revokes the family", async () => {
    const second = await refresh(login.tokens.refresh_token);
    const third = await refresh(second.refresh_token);
    expect(await refusal(refresh(login.tokens.refresh_token))).toBe("invalid_grant");
    await expectRevoked(second, third);
  });

  it("answers a retry within 10 seconds with the same refresh token, and a new access token", async () => {
    const first = await refresh(login.tokens.refresh_token);
    server.clock.advance(10);
    const retried = await refresh(login.tokens.refresh_token);
    expect(retried.refresh_token).toBe(first.refresh_token);
    expect(retried.access_token).not.toBe(first.access_token);
    expect(await userinfoStatus(server, retried.access_token)).toBe(200);
    const next = await refresh(retried.refresh_token);
    expect(next.refresh_token).not.toBe(first.refresh_token);
  });

  it("answers 50 parallel requests with the same successor, of one family, and logs nobody out", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(login.tokens.refresh_token)));
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
    expect(await families()).toEqual([{ revokedReason: null, refreshTokens: 2 }]);
    const [answer] = answers;
    expect(await userinfoStatus(server, answer?.access_token ?? "")).toBe(200);
    server.clock.advance(60);
    expect((await refresh(answer?.refresh_token)).refresh_token).toBeString();
  });

  /** oidcc-refresh-token */
  it("refuses a refresh token to another client, and does not revoke the family for it", async () => {
    const thief = await registerApplication(server);
    const stolen = client.refreshTokenGrant(thief.config, login.tokens.refresh_token ?? "");
    expect(await refusal(stolen)).toBe("invalid_grant");
    expect((await refresh(login.tokens.refresh_token)).refresh_token).toBeString();
  });
});

describe("OpenID Connect Core §11: signing out in the browser", () => {
  it("ends a refresh token, unless it was given for offline_access", async () => {
    const person = createHttpBrowser(server.url);
    const online = await logIn(app, person, ada);
    const offline = await logIn(app, person, ada, { scope: "openid offline_access" });
    const account = await person.open("/account");
    const left = await person.submit(account, "/signout");
    expect([left.url.pathname, left.status]).toEqual(["/signin", 200]);
    await expectRevoked(online.tokens);
    expect((await refresh(offline.tokens.refresh_token)).refresh_token).toBeString();
    const silent = await app.begin({ prompt: "none" });
    expect((await person.open(silent.url)).url.searchParams.get("error")).toBe("login_required");
  });
});
