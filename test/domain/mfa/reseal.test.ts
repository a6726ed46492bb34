import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { codeProver } from "../../../src/domain/mfa/second-factor.ts";
import { resealMfaSecrets } from "../../../src/domain/mfa/reseal.ts";
import { findUserByEmail } from "../../../src/domain/users/service.ts";
import type { MasterKeys } from "../../../src/lib/master-keys.ts";
import { setUpTotp, totpCode } from "../../support/mfa.ts";
import { administrator, postJson, startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("a replaced master key", () => {
  it("opens the secrets of second factors once they are sealed anew, and only then", async () => {
    const signedIn = await postJson(`${server.url}/login`, {
      identifier: administrator.email,
      password: administrator.password,
    });
    const { access_token: token } = await signedIn.json();
    const app = await setUpTotp(server, token);
    const { deps, tenant } = server;
    const user = await findUserByEmail(deps, tenant.id, administrator.email);
    if (!user) throw new Error("there is no administrator");

    const newKey = { id: "2", key: Buffer.alloc(32, 9) };
    const withKeys = (masterKeys: MasterKeys) => ({ ...deps, config: { ...deps.config, masterKeys } });
    const proves = (masterKeys: MasterKeys, code: string) =>
      codeProver(code)
        .prove(withKeys(masterKeys), tenant, user)
        .then((proven) => proven?.method);
    const codes = [totpCode(server, app.secret), app.backupCodes[0] ?? ""] as const;

    for (const code of codes) await expect(proves([newKey], code)).rejects.toThrow("master key");
    const both: MasterKeys = [newKey, ...deps.config.masterKeys];
    expect(await resealMfaSecrets(withKeys(both))).toBe(2);
    expect(await resealMfaSecrets(withKeys(both))).toBe(0);
    expect(await proves([newKey], codes[0])).toBe("totp");
    expect(await proves([newKey], codes[1])).toBe("backup_code");
  });
});
