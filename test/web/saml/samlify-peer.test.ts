/** Another implementation as the identity provider: samlify, which checks our requests and makes its own responses. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { connectSaml, isSignedIn, spOf } from "../../support/saml-connection.ts";
import {
  type SamlifyIdentityProvider,
  startSamlifyIdentityProvider,
} from "../../support/samlify-identity-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let peer: SamlifyIdentityProvider;
beforeAll(async () => {
  server = await startTestServer();
  peer = await startSamlifyIdentityProvider();
});
afterAll(async () => {
  await peer?.stop();
  await server?.stop();
});

const connected = async (config: Record<string, unknown> = {}) => {
  const connection = await connectSaml(server, peer.credentials, {
    config: {
      idp_entity_id: peer.entityId,
      sso_url: `${peer.url}/sso`,
      slo_url: `${peer.url}/slo`,
      ...config,
    },
  });
  const sp = spOf(server, connection);
  await peer.configure({ sp: sp.entityId });
  return sp;
};

/** There, through the peer's own page, and back. */
async function signIn(loginUrl: string, browser: HttpBrowser = createHttpBrowser(server.url)) {
  const away = await browser.open(loginUrl);
  const html = await (await fetch(away.url)).text();
  const action = /action="([^"]+)"/.exec(html)?.[1] ?? "";
  const fields = Object.fromEntries(
    [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
  return { browser, visit: await browser.postFromElsewhere(action, fields) };
}

describe("samlify as the identity provider", () => {
  it.each([false, true])("signs people in by our metadata alone (encrypted: %p)", async (encrypted) => {
    const sp = await connected({ want_assertions_encrypted: encrypted });
    const name = encrypted ? "sealed" : "open";
    await peer.configure({ encrypted, person: { nameId: `id-${name}`, email: `${name}@example.com` } });
    const { visit, browser } = await signIn(sp.loginUrl);
    await peer.configure({ encrypted: false });
    expect(visit.url.pathname).toBe("/account");
    expect(visit.html).toContain(`${name}@example.com`);
    expect(isSignedIn(browser)).toBe(true);
  });

  it("hears of a sign-out here, and sends the browser back", async () => {
    const sp = await connected();
    await peer.configure({ person: { nameId: "id-leaver", email: "leaver@example.com" } });
    const { browser, visit } = await signIn(sp.loginUrl);
    const left = await browser.submit(visit, "/signout");
    const target = (/url=([^"]+)"/i.exec(left.html)?.[1] ?? "").replaceAll("&amp;", "&");
    const answer = await fetch(target, { redirect: "manual" });
    expect(peer.logouts.at(-1)?.nameId).toBe("id-leaver");
    const back = await browser.open(answer.headers.get("location") ?? "");
    expect(back.url.pathname).toBe("/signin");
  });

  it("signs people out here", async () => {
    const sp = await connected();
    await peer.configure({ person: { nameId: "id-ended", email: "ended@example.com" } });
    const { browser } = await signIn(sp.loginUrl);
    const answer = await fetch(peer.logoutUrl(), { redirect: "manual" });
    expect(answer.headers.get("location")).toStartWith(`${peer.url}/slo?SAMLResponse=`);
    expect((await browser.open("/account")).url.pathname).toBe("/signin");
  });
});
