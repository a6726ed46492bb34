/** What a token is answered with whose sign-in is too old for what it is used for (RFC 9470 §3). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createApp, obtainCode, signedIn, tokensOf } from "../../attacks/support.ts";
import { postForm, postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { dpopProof, fetchNonce, newTestKey } from "../../support/signed.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ access_token_lifetime: 3600 });
});
afterAll(() => server.stop());

describe("the challenge of a sign-in that is too old (RFC 9470 §3)", () => {
  it("names the scheme by which the token was presented (RFC 9449 §7.1)", async () => {
    const { browser } = await signedIn(server.url);
    const app = await createApp(server, { public: true });
    const key = await newTestKey();
    const nonce = await fetchNonce(server, key);
    const tokenUrl = `${server.url}/oauth/token`;
    const { code, verifier } = await obtainCode(browser, app);
    const fields = {
      grant_type: "authorization_code",
      client_id: app.client.clientId,
      code,
      code_verifier: verifier,
      redirect_uri: app.redirectUri,
    };
    const proof = await dpopProof(server, key, { url: tokenUrl, nonce });
    const { access_token: accessToken } = await tokensOf(postForm(tokenUrl, fields, { dpop: proof }));
    server.clock.advance(16 * 60);
    const url = `${server.url}/me/email`;
    const resourceNonce = await fetchNonce(server, key);
    const dpop = await dpopProof(server, key, { method: "POST", url, nonce: resourceNonce, accessToken });
    const refused = await postJson(
      url,
      { email: "new@example.com" },
      { authorization: `DPoP ${accessToken}`, dpop },
    );
    expect(refused.status).toBe(401);
    const challenge = refused.headers.get("www-authenticate") ?? "";
    expect(challenge).toStartWith('DPoP error="insufficient_user_authentication"');
    expect(challenge).toContain('max_age="900"');
    expect(challenge).toContain('algs="');
  });
});
