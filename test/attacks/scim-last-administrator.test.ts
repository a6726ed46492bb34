/** A directory, or an administrator by way of it, that locks everybody out. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { type ScimClient, scimClient } from "../conformance/scim/support.ts";
import { administrator, startTestServer, type TestServer } from "../support/server.ts";
import { login } from "./support.ts";

let server: TestServer;
let scim: ScimClient;

beforeAll(async () => {
  server = await startTestServer();
  const { access_token: token } = await login(server.url, administrator.email, administrator.password);
  scim = await scimClient(server, { token });
});
afterAll(() => server.stop());

describe("the last administrator of a tenant", () => {
  /** Guard: domain/scim-users/service.ts, inTransaction: what takes access away keeps the administrators. */
  it("is neither deactivated nor deleted through SCIM, not even by themselves", async () => {
    const { body } = await scim.get(
      `/Users?filter=${encodeURIComponent(`emails eq "${administrator.email}"`)}`,
    );
    const id = body.Resources?.[0]?.id ?? "";
    const { status } = await scim.patch(`/Users/${id}`, [{ op: "replace", path: "active", value: false }]);
    expect([status, (await scim.delete(`/Users/${id}`)).status]).toEqual([409, 409]);
    expect((await scim.get(`/Users/${id}`)).body.active).toBe(true);
  });
});
