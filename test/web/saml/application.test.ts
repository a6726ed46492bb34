/** An application of ours that waits while its user signs in at a SAML identity provider. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { SamlConnection } from "../../../src/domain/connections/service.ts";
import { s256Challenge } from "../../../src/protocol/oauth/pkce.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { bring, connectSaml, depart, rightParts, spOf } from "../../support/saml-connection.ts";
import {
  type Credentials,
  newCredentials,
  readSent,
  signedResponse,
} from "../../support/saml-identity-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const REDIRECT_URI = "https://app.example/callback";

let server: TestServer;
let credentials: Credentials;
let connection: SamlConnection;
let clientId: string;
beforeAll(async () => {
  server = await startTestServer();
  credentials = await newCredentials();
  connection = await connectSaml(server, credentials);
  const { client } = await server.createClient({
    redirectUris: [REDIRECT_URI],
    grantTypes: ["authorization_code"],
  });
  clientId = client.clientId;
});
afterAll(() => server?.stop());

/** From the application to the identity provider. */
async function leave(parameters: Record<string, string>) {
  const browser = createHttpBrowser(server.url);
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid",
    state: "theirs",
    code_challenge: s256Challenge("v".repeat(43)),
    code_challenge_method: "S256",
    ...parameters,
  });
  const page = await browser.open(`/oauth/authorize?${query}`);
  const interaction = page.url.searchParams.get("interaction") ?? "";
  const sp = spOf(server, connection);
  return depart(server, sp, browser, `?${new URLSearchParams({ interaction })}`);
}

function answer(requestId: string, ageSeconds: number, name: string): string {
  const sp = spOf(server, connection);
  const at = new Date(server.clock.now().getTime() - ageSeconds * 1000).toISOString();
  const authnStatement = `<saml:AuthnStatement AuthnInstant="${at}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
  const nameId = `${name}@example.com`;
  const says = { inResponseTo: requestId, nameId, attributes: { email: [nameId] }, authnStatement };
  return signedResponse(rightParts(server, sp, says), "both", credentials);
}

describe("an application that waits", () => {
  it("gets its code when the person comes back", async () => {
    const sent = await leave({});
    expect(readSent(sent.location.href).xml).not.toContain("ForceAuthn");
    const visit = await bring(spOf(server, connection), sent, answer(sent.requestId, 86_400, "waited-for"));
    expect(`${visit.url.origin}${visit.url.pathname}`).toBe(REDIRECT_URI);
    expect(visit.url.searchParams.get("state")).toBe("theirs");
    expect(visit.url.searchParams.get("code")).not.toBeNull();
  });

  it("gets a fresh proof when it asks for one, and none that the identity provider had already", async () => {
    const wishes: Record<string, string>[] = [{ prompt: "login" }, { max_age: "60" }];
    for (const wanted of wishes) {
      const [fresh, stale] = [await leave(wanted), await leave(wanted)];
      expect(readSent(fresh.location.href).xml).toContain('ForceAuthn="true"');
      const refused = await bring(spOf(server, connection), stale, answer(stale.requestId, 3600, "stale"));
      expect(refused.status).toBe(502);
      const visit = await bring(spOf(server, connection), fresh, answer(fresh.requestId, 1, "fresh"));
      expect(visit.url.searchParams.get("code")).not.toBeNull();
    }
  });
});
