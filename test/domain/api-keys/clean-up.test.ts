/** Keys that are over, and links by which nobody signs in any more, do not stay for ever. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { apiKeys, impersonations } from "../../../src/db/schema/index.ts";
import { cleanUp } from "../../../src/domain/maintenance/service.ts";
import { startSession } from "../../../src/domain/sessions/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/ids.ts";
import { newSecretToken } from "../../../src/lib/secret-token.ts";
import { addUser } from "../../conformance/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const DAY = 86_400;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("the clean-up", () => {
  it("removes keys 90 days after they were revoked or ended, and never one that lives", async () => {
    const { deps, clock, tenant } = server;
    const user = await addUser(server, "keeper");
    const now = clock.now();
    const ago = (days: number) => addSeconds(now, -days * DAY);
    const key = async (name: string, over: { expiresAt?: Date; revokedAt?: Date }) => {
      const id = newId("apiKey");
      const { hash } = newSecretToken(id);
      const { expiresAt = null, revokedAt = null } = over;
      const owner = { tenantId: tenant.id, userId: user.id };
      await deps.db
        .insert(apiKeys)
        .values({ ...owner, id, name, hash, scopes: [], createdAt: ago(400), expiresAt, revokedAt });
    };
    await key("ended long ago", { expiresAt: ago(91) });
    await key("revoked long ago", { expiresAt: ago(-10), revokedAt: ago(91) });
    await key("ended lately", { expiresAt: ago(89) });
    await key("revoked lately", { revokedAt: ago(89) });
    await key("without an end", {});
    expect((await cleanUp(deps, "tokens"))["api_keys"]).toBe(2);
    const left = await deps.db.select({ name: apiKeys.name }).from(apiKeys);
    expect(left.map(({ name }) => name).toSorted()).toEqual([
      "ended lately",
      "revoked lately",
      "without an end",
    ]);
  });

  it("removes links to sign in as a user 30 days after they were made", async () => {
    const { deps, clock, tenant } = server;
    const [admin, user] = [await addUser(server, "chief"), await addUser(server, "user")];
    const now = clock.now();
    const session = await startSession(deps.db, {
      tenantId: tenant.id,
      userId: admin.id,
      amr: [],
      lifetimeSeconds: DAY,
      withCookie: false,
      context: systemContext,
      now,
    });
    for (const days of [29, 31]) {
      const id = newId("impersonation");
      const moment = addSeconds(now, -days * DAY);
      await deps.db.insert(impersonations).values({
        tenantId: tenant.id,
        id,
        userId: user.id,
        impersonatorId: admin.id,
        impersonatorSessionId: session.id,
        reason: String(days),
        lifetimeSeconds: 900,
        hash: newSecretToken(id).hash,
        createdAt: moment,
        expiresAt: moment,
      });
    }
    expect((await cleanUp(deps, "sessions"))["impersonations"]).toBe(1);
    const left = await deps.db.select({ reason: impersonations.reason }).from(impersonations);
    expect(left).toEqual([{ reason: "29" }]);
  });
});
