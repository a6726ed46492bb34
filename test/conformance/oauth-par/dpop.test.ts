import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, type Application, registerApplication, signedInBrowser } from "../support.ts";

let server: TestServer;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  app = await registerApplication(server);
  browser = await signedInBrowser(server, await addUser(server, "ada"));
  await server.configure({ dpop_nonce_required: false });
});
afterAll(() => server.stop());

describe("RFC 9449 §10.1: a DPoP proof at the pushing", () => {
  it("binds the code to its key: another key's proof, or none, does not exchange it", async () => {
    const dpop = async () => client.getDPoPHandle(app.config, await client.randomDPoPKeyPair());
    const [own, other] = [await dpop(), await dpop()];
    const code = async () => {
      const pending = await app.begin();
      const url = await client.buildAuthorizationUrlWithPAR(app.config, pending.url.searchParams, {
        DPoP: own,
      });
      return { pending, answer: (await browser.open(url)).url };
    };
    const exchange = async (options: client.AuthorizationCodeGrantOptions) => {
      const { pending, answer } = await code();
      return client.authorizationCodeGrant(app.config, answer, pending.checks, undefined, options);
    };
    expect((await exchange({ DPoP: own })).token_type).toBe("dpop");
    await expect(exchange({ DPoP: other })).rejects.toMatchObject({ error: "invalid_grant" });
    await expect(exchange({})).rejects.toMatchObject({ error: "invalid_dpop_proof" });
  });

  it("has to be of the key that dpop_jkt names", async () => {
    const own = client.getDPoPHandle(app.config, await client.randomDPoPKeyPair());
    const pending = await app.begin({ dpop_jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
    const pushed = client.buildAuthorizationUrlWithPAR(app.config, pending.url.searchParams, { DPoP: own });
    await expect(pushed).rejects.toMatchObject({ error: "invalid_dpop_proof" });
  });
});
