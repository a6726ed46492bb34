/** Two requests that each leave one way in, and together none (CWE-362). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { passwordCredentials } from "../../src/db/schema/index.ts";
import { createConnection } from "../../src/domain/connections/administration.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { isId } from "../../src/lib/ids.ts";
import { linkAccount } from "../support/external-accounts.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { login, register } from "./support.ts";

const ROUNDS = 6;

let server: TestServer;
const connectionIds: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;
  for (const key of ["one", "two"]) {
    const config = { issuer: `https://${key}.example.com`, client_id: "c" };
    const input = { kind: "oidc", key, config, secrets: { client_secret: "s" } };
    connectionIds.push((await createConnection(server.deps, server.tenant.id, input, by)).connection.id);
  }
});
afterAll(() => server.stop());

describe("somebody's last two external accounts, unlinked at once", () => {
  /** Guard: domain/external-accounts/service.ts, unlinkExternalAccount (lockFactors before what is left is counted). */
  it("leave one, every time", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const person = await register(server.url);
      const ids = [];
      for (const connectionId of connectionIds)
        ids.push(
          (await linkAccount(server, { tenant: server.tenant, base: server.url }, connectionId, person)).id,
        );
      const { access_token: token } = await login(server.url, person.username);
      if (!isId("user", person.id)) throw new Error("not a user's id");
      await server.deps.db.delete(passwordCredentials).where(eq(passwordCredentials.userId, person.id));
      const headers = { authorization: `Bearer ${token}` };
      const answers = await Promise.all(
        ids.map((id) => fetch(`${server.url}/me/external-accounts/${id}`, { method: "DELETE", headers })),
      );
      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
      const listed = await fetch(`${server.url}/me/external-accounts`, { headers });
      const { external_accounts: left }: { external_accounts: unknown[] } = JSON.parse(await listed.text());
      expect(left).toHaveLength(1);
    }
  });
});
