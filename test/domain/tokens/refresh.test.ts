/** What a refresh writes down about the session it belongs to. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { refreshTokens, sessions, tokenFamilies } from "../../../src/db/schema/index.ts";
import { toRow } from "../../../src/domain/audit/service.ts";
import { findRefreshToken, rotate } from "../../../src/domain/tokens/repo.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { createAccount } from "../../../src/domain/accounts/registration.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { type Id, newId } from "../../../src/lib/ids.ts";
import { newSecretToken, parseSecretToken } from "../../../src/lib/secret-token.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";

const PASSWORD = "C0rrect-Horse!";
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** A native sign-in, which lives as long as its refresh token. */
async function signIn(username: string) {
  const person = { username, email: `${username}@example.com`, password: PASSWORD, roles: [] };
  const user = await createAccount(
    server.deps,
    server.tenant,
    { ...person, emailVerified: true },
    systemContext,
  );
  const answer = await postJson(`${server.url}/login`, { identifier: username, password: PASSWORD });
  let { refresh_token }: { refresh_token: string } = await answer.json();
  return {
    token: refresh_token,
    async refresh() {
      const refreshed = await postJson(`${server.url}/token/refresh`, { refresh_token });
      expect(refreshed.status).toBe(200);
      ({ refresh_token } = await refreshed.json());
    },
    async session() {
      const [row] = await server.deps.db.select().from(sessions).where(eq(sessions.userId, user.id));
      if (!row) throw new Error("there is no session");
      return row;
    },
    async family() {
      const [row] = await server.deps.db
        .select({
          id: tokenFamilies.id,
          expiresAt: tokenFamilies.expiresAt,
          version: sql<string>`xmin::text`,
        })
        .from(tokenFamilies)
        .where(eq(tokenFamilies.userId, user.id));
      if (!row) throw new Error("there is no family");
      const tokens = await server.deps.db
        .select({ expiresAt: refreshTokens.expiresAt })
        .from(refreshTokens)
        .where(eq(refreshTokens.familyId, row.id));
      return { ...row, lastTokenEnds: Math.max(...tokens.map(({ expiresAt }) => expiresAt.getTime())) };
    },
  };
}

describe("a refresh", () => {
  it("says once a minute that the session is used, so that others of the session need not wait for it", async () => {
    const { refresh, session } = await signIn("minute");
    const begun = (await session()).lastSeenAt;
    server.clock.advance(59);
    await refresh();
    expect((await session()).lastSeenAt).toEqual(begun);
    server.clock.advance(1);
    await refresh();
    expect((await session()).lastSeenAt).toEqual(server.clock.now());
    expect((await session()).expiresAt).toEqual(
      addSeconds(server.clock.now(), server.tenant.settings.refresh_token_lifetime),
    );
  });

  it("lets the family live as long as its tokens, and writes to it only now and then", async () => {
    const { refresh, family } = await signIn("family");
    const lifetime = server.tenant.settings.refresh_token_lifetime;
    const versions = new Set<string>();
    for (let index = 0; index < 24; index++) {
      server.clock.advance(lifetime / 12);
      await refresh();
      const { expiresAt, lastTokenEnds, version } = await family();
      expect(expiresAt.getTime()).toBeGreaterThanOrEqual(lastTokenEnds);
      versions.add(version);
    }
    expect(versions.size).toBeLessThanOrEqual(12);
  });

  it("rotates nothing of a family that was revoked after it was read, nor twice what another request rotated", async () => {
    const { deps, tenant } = server;
    for (const familyExpiresAt of [undefined, addSeconds(server.clock.now(), 600)]) {
      const { token } = await signIn(`revoked-${familyExpiresAt ? "put-off" : "held"}`);
      const presented = parseSecretToken("refreshToken", token);
      const found = presented && (await findRefreshToken(deps.db, tenant.id, presented.id));
      if (!found) throw new Error("there is no refresh token");
      const now = server.clock.now();
      const rotateTo = (id: Id<"refreshToken">) =>
        rotate(deps.db, {
          tenantId: tenant.id,
          id: found.token.id,
          familyId: found.family.id,
          sessionId: found.session.id,
          successor: {
            id,
            hash: newSecretToken(id).hash,
            sealed: Buffer.from("sealed"),
            scope: [],
            expiresAt: addSeconds(now, 60),
          },
          touchesSession: false,
          familyExpiresAt,
          audit: toRow({
            tenantId: tenant.id,
            type: "token.refreshed",
            actor: { type: "system" },
            context: systemContext,
            now,
          }),
          now,
        });
      const revoke = (revokedAt: Date | null) =>
        deps.db.update(tokenFamilies).set({ revokedAt }).where(eq(tokenFamilies.id, found.family.id));
      await revoke(now);
      expect(await rotateTo(newId("refreshToken"))).toBe(false);
      await revoke(null);
      const racing = await Promise.all(Array.from({ length: 5 }, () => rotateTo(newId("refreshToken"))));
      expect(racing.toSorted()).toEqual([false, false, false, false, true]);
    }
  });

  it("says so in time where the session would end by itself before", async () => {
    await server.configure({ refresh_token_lifetime: 60 });
    const { refresh, session } = await signIn("short");
    for (let index = 0; index < 4; index++) {
      server.clock.advance(40);
      await refresh();
      expect((await session()).lastSeenAt).toEqual(server.clock.now());
    }
  });
});
