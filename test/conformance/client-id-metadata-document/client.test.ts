/** OAuth Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document-02), as MCP clients use it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import * as openid from "openid-client";
import { clients } from "../../../src/db/schema/index.ts";
import { findClient } from "../../../src/domain/clients/service.ts";
import { createTenant, updateTenantSettings } from "../../../src/domain/tenants/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { eventually } from "../../support/queue.ts";
import { beginLogin } from "../../support/relying-party.ts";
import { fillSignIn, refusal } from "../support.ts";
import { MCP_SERVER, type Setting, startSetting } from "./support.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting();
});
afterAll(() => setting.stop());

const discover = (clientId: string, authentication: openid.ClientAuth) =>
  openid.discovery(new URL(setting.server.url), clientId, undefined, authentication, {
    execute: [openid.allowInsecureRequests],
    algorithm: "oauth2",
  });

describe("§6: metadata", () => {
  it("says whether a URL may be a client_id (RFC 8414 document, too)", async () => {
    const says = (supported: boolean) =>
      eventually(`metadata that says ${supported}`, async () => {
        const paths = ["openid-configuration", "oauth-authorization-server"];
        const documents = await Promise.all(
          paths.map(async (path) => (await fetch(`${setting.server.url}/.well-known/${path}`)).json()),
        );
        return documents.every((one) => one.client_id_metadata_document_supported === supported);
      });
    await says(true);
    await setting.server.configure({ client_id_metadata_documents: false });
    await says(false);
    await setting.server.configure({ client_id_metadata_documents: true });
    await says(true);
  });
});

describe("MCP 2026-07-28: a client that the setting.server never heard of", () => {
  it("signs a user in and gets a token for the MCP server", async () => {
    const clientId = setting.publish({
      client_name: "Example MCP Client",
      grant_types: ["authorization_code", "refresh_token"],
    });
    const config = await discover(clientId, openid.None());
    const browser = createHttpBrowser(setting.server.url);
    // The app listens on whichever port is free (RFC 8252 §7.3).
    const redirectUri = "http://127.0.0.1:50123/callback";
    const pending = await beginLogin(config, redirectUri, { scope: "files:read", resource: MCP_SERVER });
    let page = await fillSignIn(browser, await browser.open(pending.url), setting.user.username);
    expect(page.url.pathname).toContain("consent");
    page = await browser.submit(page, page.url.pathname, { decision: "allow" });
    // OAuth, not OpenID Connect: no ID token to find a nonce in.
    const { expectedNonce: _nonce, ...checks } = pending.checks;
    const tokens = await openid.authorizationCodeGrant(config, page.url, checks, { resource: MCP_SERVER });
    const claims = JSON.parse(Buffer.from(tokens.access_token.split(".")[1] ?? "", "base64url").toString());
    expect([claims.aud].flat()).toEqual([MCP_SERVER]);
    expect(claims).toMatchObject({ client_id: clientId, scope: "files:read" });
  });

  it("authenticates with its private key, when its document says so (§8.2)", async () => {
    const ecdsa = { name: "ECDSA", namedCurve: "P-256" };
    const pair = await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
    const jwk = { ...(await crypto.subtle.exportKey("jwk", pair.publicKey)), kid: "k1", alg: "ES256" };
    const clientId = setting.publish({
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [jwk] },
      redirect_uris: ["https://app.example/cb"],
      scope: "openid",
    });
    const browser = createHttpBrowser(setting.server.url);
    const exchange = async (authentication: openid.ClientAuth) => {
      const config = await discover(clientId, authentication);
      const pending = await beginLogin(config, "https://app.example/cb", { scope: "openid" });
      let page = await browser.open(pending.url);
      if (page.url.pathname.includes("signin")) page = await fillSignIn(browser, page, setting.user.username);
      if (page.url.pathname.includes("consent"))
        page = await browser.submit(page, page.url.pathname, { decision: "allow" });
      return openid.authorizationCodeGrant(config, page.url, pending.checks);
    };
    const tokens = await exchange(openid.PrivateKeyJwt({ key: pair.privateKey, kid: "k1" }));
    expect(tokens.claims()?.aud).toBe(clientId);
    expect(await refusal(exchange(openid.None()))).toBe("invalid_client");
    const { privateKey: another } = await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
    expect(await refusal(exchange(openid.PrivateKeyJwt({ key: another, kid: "k1" })))).toBe("invalid_client");
  });

  it("is known under a tenant's path, where that tenant lets it", async () => {
    const tenant = await createTenant(setting.server.deps, { slug: "mcp-users", name: "MCP" });
    const clientId = setting.publish();
    expect(await findClient(setting.server.deps, tenant.id, clientId)).toBeUndefined();
    await updateTenantSettings(setting.server.deps, tenant, { client_id_metadata_documents: true });
    expect(await findClient(setting.server.deps, tenant.id, clientId)).toMatchObject({
      tenantId: tenant.id,
      clientId,
    });
  });
});

describe("§3, §5: which documents are read", () => {
  it("none where the tenant does not let clients describe themselves, though they were known before", async () => {
    const [known, unknown] = [setting.publish(), setting.publish()];
    expect(await setting.findClient(known)).toBeDefined();
    await setting.server.configure({ client_id_metadata_documents: false });
    try {
      expect(await setting.findClient(known)).toBeUndefined();
      expect(await setting.findClient(unknown)).toBeUndefined();
      expect(setting.visitsOf(unknown)).toBe(0);
    } finally {
      await setting.server.configure({ client_id_metadata_documents: true });
    }
  });

  it("not one behind a redirect", async () => {
    const clientId = setting.publish();
    const moved = `${setting.host.origin}/moved.json`;
    setting.host.publish("/moved.json", { status: 302, headers: { location: clientId } });
    expect(await setting.findClient(moved)).toBeUndefined();
    expect(setting.visitsOf(clientId)).toBe(0);
  });

  it("not one that is larger than 5 KiB (§8.7)", async () => {
    const fits = setting.publish({ padding: "x".repeat(4500) });
    const larger = setting.publish({ padding: "x".repeat(5200) });
    expect(await setting.findClient(fits)).toBeDefined();
    expect(await setting.findClient(larger)).toBeUndefined();
  });

  it("and nothing is kept of one that was refused", async () => {
    const clientId = setting.publish({ client_id: "https://other.example.test/x" });
    expect(await setting.findClient(clientId)).toBeUndefined();
    const rows = await setting.server.deps.db.select().from(clients).where(eq(clients.clientId, clientId));
    expect(rows).toEqual([]);
    setting.republish(clientId);
    expect(await setting.findClient(clientId)).toBeDefined();
  });

  it("once for all who ask at the same time", async () => {
    const clientId = setting.publish();
    const found = await Promise.all(Array.from({ length: 20 }, () => setting.findClient(clientId)));
    expect(found.every((client) => client?.clientId === clientId)).toBe(true);
    expect(setting.visitsOf(clientId)).toBe(1);
  });
});
