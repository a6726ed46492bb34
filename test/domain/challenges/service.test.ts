import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import {
  consumeOneChallenge,
  countAttempt,
  findOpenChallenge,
  openChallenge,
} from "../../../src/domain/challenges/service.ts";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/ids.ts";
import { newSecretToken } from "../../../src/lib/secret-token.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function open() {
  const { deps, tenant, clock } = server;
  const now = clock.now();
  const opened = await openChallenge(deps.db, {
    tenantId: tenant.id,
    kind: "passkey_assertion",
    userId: null,
    data: { purpose: "sign_in" },
    now,
  });
  return { ...opened, now };
}

describe("a challenge", () => {
  it("is consumed once, by its token", async () => {
    const { deps, tenant } = server;
    const { id, token, now } = await open();
    const consume = () => consumeOneChallenge(deps.db, tenant.id, "passkey_assertion", token, now);
    expect((await consume())?.id).toBe(id);
    expect(await consume()).toBeUndefined();
    expect(await findOpenChallenge(deps.db, tenant.id, "passkey_assertion", token, now)).toBeUndefined();
  });

  it("is consumed by none of another kind, of another tenant, with another secret, or that comes late", async () => {
    const { deps, tenant } = server;
    const { id, token, now, expiresAt } = await open();
    const other = await createTenant(deps, { slug: "challenges-other", name: "Other" });
    const { db } = deps;
    const kind = "passkey_assertion";
    expect(await consumeOneChallenge(db, tenant.id, "pending_login", token, now)).toBeUndefined();
    expect(await consumeOneChallenge(db, other.id, kind, token, now)).toBeUndefined();
    expect(await consumeOneChallenge(db, tenant.id, kind, newSecretToken(id).token, now)).toBeUndefined();
    expect(await consumeOneChallenge(db, tenant.id, kind, token, expiresAt)).toBeUndefined();
    expect(await findOpenChallenge(db, tenant.id, "pending_login", token, now)).toBeUndefined();
    expect(await findOpenChallenge(db, other.id, kind, token, now)).toBeUndefined();
    expect((await consumeOneChallenge(db, tenant.id, kind, token, addSeconds(expiresAt, -1)))?.id).toBe(id);
  });

  it("has as many attempts as it is given, however many are made at once", async () => {
    const { deps, tenant } = server;
    const { id, now } = await open();
    const attempt = () =>
      countAttempt(deps.db, { tenantId: tenant.id, kind: "passkey_assertion", id, most: 5, now });
    const counted = await Promise.all(Array.from({ length: 20 }, attempt));
    expect(counted.filter(Boolean)).toHaveLength(5);
    const unknown = { tenantId: tenant.id, kind: "passkey_assertion", most: 5, now } as const;
    expect(await countAttempt(deps.db, { ...unknown, id: newId("challenge") })).toBe(false);
  });
});
