/** Mix-up of authorization servers (RFC 9207, RFC 9700 §4.4): every answer says, in every mode, whose it is. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { decodeJwt } from "jose";
import * as client from "openid-client";
import { discover } from "../support/relying-party.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  authorizationParameters,
  type Browser,
  createApp,
  createOtherTenant,
  readForm,
  signedIn,
} from "./support.ts";

let server: TestServer;
let app: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  ({ browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

/** The parameters that the client gets, whatever they come in. */
async function answer(changes: Record<string, string>): Promise<URLSearchParams> {
  const response = await browser.get(`/oauth/authorize?${authorizationParameters(app, changes)}`);
  const location = response.headers.get("location");
  if (location === null) return new URLSearchParams(readForm(await response.text()).fields);
  const { search, hash } = new URL(location);
  return new URLSearchParams(search || hash.slice(1));
}

const issuerIn = (parameters: URLSearchParams) => {
  const jwt = parameters.get("response");
  return jwt === null ? parameters.get("iss") : decodeJwt(jwt).iss;
};

describe("an answer", () => {
  /** RFC 9207 §2. Guard: protocol/oauth/authorization-response.ts, commonParameters; jarm.ts, jarmClaims. */
  it.each(["query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])(
    "names its issuer, of a code and of an error, by %s",
    async (response_mode) => {
      expect(issuerIn(await answer({ response_mode }))).toBe(server.url);
      expect(issuerIn(await answer({ response_mode, scope: "openid everything" }))).toBe(server.url);
    },
  );

  /** RFC 9207 §2.4. Guard: the same, and the tenant's own issuer. */
  it("of one tenant is refused by a client that waits for another's", async () => {
    const other = await createOtherTenant(server, "mixed-up");
    const theirs = await createApp(server, {}, other);
    const honest = await discover(other.base, { client: theirs.client, clientSecret: theirs.secret });
    const url = new URL(`${theirs.redirectUri}?${await answer({})}`);
    const exchange = client.authorizationCodeGrant(honest, url, {
      expectedState: "state-1",
      pkceCodeVerifier: "x",
    });
    await expect(exchange).rejects.toMatchObject({
      cause: { message: expect.stringContaining('unexpected "iss"') },
    });
  });

  /** RFC 9207 §3: a client that is told to expect iss misses it. Guard: protocol/oidc/discovery.ts. */
  it("is announced to name it", async () => {
    const config = await discover(server.url, { client: app.client, clientSecret: app.secret });
    expect(config.serverMetadata().authorization_response_iss_parameter_supported).toBe(true);
    const url = new URL(`${app.redirectUri}?code=stolen&state=state-1`);
    const exchange = client.authorizationCodeGrant(config, url, {
      expectedState: "state-1",
      pkceCodeVerifier: "x",
    });
    await expect(exchange).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"iss" (issuer) missing') },
    });
  });
});
