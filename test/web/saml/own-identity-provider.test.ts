/** Ourselves in both roles: one tenant signs the people of another one in. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { fillSignIn, addUser } from "../../conformance/support.ts";
import { createOtherTenant } from "../../attacks/support.ts";
import { pemCertificate } from "../../../src/protocol/saml/build/sign.ts";
import { updateConnection } from "../../../src/domain/connections/administration.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { samlCredentials } from "../../../src/domain/saml-idp/credentials.ts";
import { identityProviderOf } from "../../../src/domain/saml-idp/entity.ts";
import { describeByMetadata } from "../../../src/domain/saml-idp/metadata-import.ts";
import { createSamlClient } from "../../../src/domain/saml-idp/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import { connectSaml, isSignedIn, spOf } from "../../support/saml-connection.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

const by = { actor: { type: "system" } as const, context: systemContext, superAdmin: true };

/** Each is told of the other by its metadata. */
async function connectTenants(slug: string, encrypted: boolean) {
  const { tenant: theirs } = await createOtherTenant(server, slug);
  const { signer } = await samlCredentials(server.deps, theirs.id);
  const certificate = pemCertificate(signer.certificate);
  const connection = await connectSaml(server, { certificate }, { name: slug });
  const sp = spOf(server, connection);
  const metadata = await (await fetch(sp.entityId)).text();
  const client = await createSamlClient(
    server.deps,
    theirs.id,
    {
      ...describeByMetadata(metadata, { name: "Ours" }),
      encrypt_assertion: encrypted,
      attributes: [{ name: "mail", value: "{{ user.email }}" }],
    },
    by,
  );
  const idp = identityProviderOf(server.deps, theirs, client);
  await updateConnection(
    server.deps,
    server.tenant.id,
    connection.id,
    {
      config: {
        idp_entity_id: idp.entityId,
        sso_url: idp.ssoUrl,
        slo_url: idp.sloUrl,
        want_assertions_encrypted: encrypted,
        want_response_signed: true,
      },
    },
    by,
  );
  return { theirs, sp };
}

describe("one tenant as the identity provider of another", () => {
  it.each([false, true])("signs people in, and out again (encrypted: %p)", async (encrypted) => {
    const slug = encrypted ? "sealed" : "open";
    const { theirs, sp } = await connectTenants(slug, encrypted);
    await addUser(server, `person-${slug}`, theirs);
    const browser = createHttpBrowser(server.url);
    const there = await browser.open(sp.loginUrl);
    expect(there.url.pathname).toBe(`/t/${slug}/signin`);
    const answer = await fillSignIn(browser, there, `person-${slug}`);
    const form = answer.forms.find(({ action }) => action === sp.acsUrl);
    expect(form?.fields["SAMLResponse"]).toBeDefined();
    const home = await browser.postFromElsewhere(sp.acsUrl, { ...form?.fields });
    expect(home.url.pathname).toBe("/account");
    expect(home.html).toContain(`person-${slug}@example.com`);
    expect(isSignedIn(browser)).toBe(true);

    const left = await browser.submit(home, "/signout");
    const target = (/url=([^"]+)"/i.exec(left.html)?.[1] ?? "").replaceAll("&amp;", "&");
    const back = await browser.open(target);
    expect(`${back.url.pathname}${back.url.search}`).toBe("/signin?notice=signed_out");
    expect((await browser.open(`/t/${slug}/account`)).url.pathname).toBe(`/t/${slug}/signin`);
  });
});
