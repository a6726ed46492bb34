/** Getting rid of the second factor where one is required. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { bearer, newAuthenticator, setUpPasskey, setUpTotp } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { login, register } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const remove = (token: string, id: string) =>
  fetch(`${server.url}/mfa/webauthn/credentials/${id}`, { method: "DELETE", headers: bearer(token) });

async function factorsOf(token: string): Promise<number> {
  const response = await fetch(`${server.url}/mfa/factors`, { headers: bearer(token) });
  const { totp, webauthn } = (await response.json()) as { totp: unknown[]; webauthn: unknown[] };
  return totp.length + webauthn.length;
}

describe("the last second factor, where one is required", () => {
  /** Guard: mfa/enrolment.ts, removeFactors (isNoneLeft, asked after lockFactors held the user's row). */
  it("stays when two passkeys are removed at once, and when a passkey and an app are", async () => {
    for (const kinds of [
      ["passkey", "passkey"],
      ["passkey", "app"],
    ]) {
      await server.configure({ mfa_enforcement: "optional" });
      const person = await register(server.url);
      const { access_token: token } = await login(server.url, person.username);
      const removals: (() => Promise<Response>)[] = [];
      for (const kind of kinds) {
        if (kind === "app") {
          await setUpTotp(server, token);
          removals.push(() => postJson(`${server.url}/mfa/totp/disable`, {}, bearer(token)));
        } else {
          const { credentialId } = await setUpPasskey(server, token, newAuthenticator(server));
          removals.push(() => remove(token, credentialId));
        }
      }
      await server.configure({ mfa_enforcement: "required" });
      const statuses = (await Promise.all(removals.map((run) => run()))).map(({ status }) => status);
      expect(statuses.filter((status) => status === 409)).toHaveLength(1);
      expect(await factorsOf(token)).toBe(1);
    }
  });
});
