/**
 * Whoever knows the old password, or holds a code that it led to, races the password reset that is to shut them out.
 * The reset is run at the worst moment by what the attacked function waits for (a password hash, the signing keys).
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import type { Caches, TenantCache } from "../../src/db/caches.ts";
import type { Deps } from "../../src/deps.ts";
import { signInBrowser, signInNative } from "../../src/domain/accounts/sign-in.ts";
import { resetPassword } from "../../src/domain/accounts/password-reset.ts";
import { exchangeCode } from "../../src/domain/authorization/code-exchange.ts";
import { sessions } from "../../src/db/schema/index.ts";
import { consumeChallenge, openLinkChallenge } from "../../src/domain/challenges/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findSessionByCookie } from "../../src/domain/sessions/service.ts";
import { findUserById } from "../../src/domain/users/service.ts";
import { isId, newId } from "../../src/lib/ids.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createApp, obtainCode, PASSWORD, type Person, signedIn, whereItWorks } from "./support.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function resetLink(person: Person): Promise<string> {
  if (!isId("user", person.id)) throw new Error("not a user's id");
  const { deps, clock, tenant } = server;
  const user = await findUserById(deps, tenant.id, person.id);
  return openLinkChallenge(deps.db, {
    tenantId: tenant.id,
    id: newId("challenge"),
    kind: "reset_password",
    userId: person.id,
    data: { email_id: user?.emailId },
    linkKeys: deps.secrets.links,
    now: clock.now(),
  });
}

const newPassword = "An0ther-Secret!";
async function reset(person: Person): Promise<void> {
  const token = await resetLink(person);
  await resetPassword(server.deps, server.tenant, { token, password: newPassword }, systemContext);
}

/** A server whose check of the password takes until the person has a new one. */
const checkingWhileReset = (person: Person): Deps => ({
  ...server.deps,
  passwords: {
    ...server.deps.passwords,
    async verify(password, hash) {
      const matches = await server.deps.passwords.verify(password, hash);
      await reset(person);
      return matches;
    },
  },
});

/** Caches that let something happen before they tell the signing keys. */
const waitingFor = (caches: Caches, happens: () => Promise<void>): Caches => ({
  ...caches,
  named<Value extends object>(name: string, tables: readonly string[], max?: number): TenantCache<Value> {
    const cache = caches.named<Value>(name, tables, max);
    return {
      ...cache,
      async get(tenantId, key, load) {
        if (name === "signing-keys") await happens();
        return cache.get(tenantId, key, load);
      },
    };
  },
});

describe("a sign-in with the old password, under way while the password is reset", () => {
  /** DESIGN: a reset ends every session and token. Guard: domain/accounts/sign-in.ts, openSession. */
  it("opens no session of the native API", async () => {
    const { person } = await signedIn(server.url);
    const credentials = { identifier: person.username, password: PASSWORD };
    const attempt = signInNative(checkingWhileReset(person), server.tenant, credentials, systemContext);
    const tokens = await attempt.then(
      (step) => (step.kind === "signed_in" ? step.tokens : undefined),
      () => undefined,
    );
    expect(tokens && (await whereItWorks(server.url, tokens.access_token)).me).not.toBe(200);
  });

  /** The same, for a cookie. */
  it("opens no session of a browser", async () => {
    const { person } = await signedIn(server.url);
    const credentials = { identifier: person.username, password: PASSWORD, rememberMe: true };
    const deps = checkingWhileReset(person);
    const attempt = signInBrowser(deps, server.tenant, credentials, undefined, systemContext);
    const cookie = await attempt.then(
      (step) => (step.kind === "signed_in" ? step.cookie : undefined),
      () => undefined,
    );
    expect(await findSessionByCookie(server.deps, server.tenant.id, cookie)).toBeUndefined();
  });
});

describe("an exchange of a code, under way while the password is reset", () => {
  /** RFC 9700 §4.5. Guard: domain/tokens/issue.ts: the session has to stand when the family is opened. */
  it("issues nothing that works", async () => {
    const app = await createApp(server, { public: true });
    const { person, browser } = await signedIn(server.url);
    const { code, verifier } = await obtainCode(browser, app, { scope: "openid offline_access" });
    const { deps, tenant } = server;
    const slow: Deps = { ...deps, caches: waitingFor(deps.caches, () => reset(person)) };
    const request = { code, codeVerifier: verifier, redirectUri: undefined };
    const tokens = await exchangeCode(slow, {
      tenant,
      client: app.client,
      request,
      resources: [],
      provenJkt: undefined,
      context: systemContext,
    }).then(
      (issued) => issued,
      () => undefined,
    );
    expect(tokens && (await whereItWorks(server.url, tokens.access_token)).userinfo).not.toBe(200);
  });
});

describe("two reset links of one person", () => {
  /** Each ends the other: in opposite orders they would deadlock. Guard: domain/challenges/service.ts, consumeChallenge. */
  it("that race: one wins, the other is refused, and neither fails", async () => {
    const { deps, tenant, clock } = server;
    const { person } = await signedIn(server.url);
    for (let round = 0; round < 20; round++) {
      const tokens = await Promise.all([resetLink(person), resetLink(person)]);
      const consumed = await Promise.all(
        tokens.map((token) =>
          deps.db.transaction((tx) => consumeChallenge(tx, tenant.id, "reset_password", token, clock.now())),
        ),
      );
      expect(consumed.filter((challenge) => challenge !== undefined)).toHaveLength(1);
    }
  });

  /** Guard: sessions/service.ts, endAllSessions. */
  it("leave no session of before", async () => {
    const { person } = await signedIn(server.url);
    await reset(person);
    if (!isId("user", person.id)) throw new Error("not a user's id");
    const rows = await server.deps.db.select().from(sessions).where(eq(sessions.userId, person.id));
    expect(rows.map(({ revokedAt }) => revokedAt !== null)).toEqual([true]);
  });
});
