import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { externalAccounts } from "../../../src/db/schema/index.ts";
import { resealConnectionSecrets } from "../../../src/domain/connections/reseal.ts";
import { connectionSecrets } from "../../../src/domain/connections/service.ts";
import { resealUpstreamTokens } from "../../../src/domain/external-accounts/reseal.ts";
import { openTokens, sealTokens } from "../../../src/domain/federation/tokens.ts";
import type { MasterKeys } from "../../../src/lib/master-keys.ts";
import { linkAccount } from "../../support/external-accounts.ts";
import { connectOidc } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("a replaced master key", () => {
  it("opens the secrets of connections, and tokens of theirs, once they are sealed anew, and only then", async () => {
    const { deps, tenant } = server;
    const connection = await connectOidc(
      server,
      { url: "https://idp.example.com" },
      { config: { keep_tokens: true } },
    );
    const { id } = await linkAccount(server, { tenant, base: server.url }, connection.id);
    const sealed = sealTokens(deps, connection, id, { accessToken: "access", refreshToken: "refresh" });
    await deps.db
      .update(externalAccounts)
      .set({ sealedTokens: sealed?.box ?? null, masterKeyId: sealed?.keyId ?? null })
      .where(eq(externalAccounts.id, id));

    const newKey = { id: "2", key: Buffer.alloc(32, 9) };
    const withKeys = (masterKeys: MasterKeys) => ({ ...deps, config: { ...deps.config, masterKeys } });
    const tokens = async () => {
      const [row] = await deps.db.select().from(externalAccounts).where(eq(externalAccounts.id, id));
      return openTokens(withKeys([newKey]), id, {
        box: row?.sealedTokens ?? Buffer.alloc(0),
        keyId: row?.masterKeyId ?? "",
      });
    };
    await expect(connectionSecrets(withKeys([newKey]), connection)).rejects.toThrow("master key");
    await expect(tokens()).rejects.toThrow("master key");
    const both = withKeys([newKey, ...deps.config.masterKeys]);
    expect([await resealConnectionSecrets(both), await resealConnectionSecrets(both)]).toEqual([1, 0]);
    expect([await resealUpstreamTokens(both), await resealUpstreamTokens(both)]).toEqual([1, 0]);
    expect(await connectionSecrets(withKeys([newKey]), connection)).toEqual({ client_secret: "our-secret" });
    expect(await tokens()).toMatchObject({ accessToken: "access", refreshToken: "refresh" });
  });
});
