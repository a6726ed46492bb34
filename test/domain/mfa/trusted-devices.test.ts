import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { trustedDevices } from "../../../src/db/schema/index.ts";
import { cleanUp } from "../../../src/domain/maintenance/service.ts";
import { isTrustedDevice, trustDevice } from "../../../src/domain/mfa/trusted-devices/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserByEmail } from "../../../src/domain/users/service.ts";
import { administrator, startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("a trusted device", () => {
  it("is known by its whole token, until it expires, and is then cleaned up", async () => {
    const { deps, tenant, clock } = server;
    const user = await findUserByEmail(deps, tenant.id, administrator.email);
    if (!user) throw new Error("there is no administrator");
    const { token } = await trustDevice(deps.db, user, 30, systemContext, clock.now());
    expect(await isTrustedDevice(deps, user, token)).toBe(true);
    expect(await isTrustedDevice(deps, user, `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`)).toBe(
      false,
    );
    expect(await isTrustedDevice(deps, user, undefined)).toBe(false);
    clock.advance(30 * 86_400);
    expect(await isTrustedDevice(deps, user, token)).toBe(false);
    await cleanUp(deps);
    expect(await deps.db.select().from(trustedDevices)).toHaveLength(1);
    clock.advance(86_401);
    await cleanUp(deps);
    expect(await deps.db.select().from(trustedDevices)).toHaveLength(0);
  });
});
