/**
 * Attacks on the SAML identity provider's single logout service. Each docstring names the guard that, taken out, lets the
 * attack through.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { signedInBrowser } from "../../conformance/support.ts";
import type { HttpBrowser, Visit } from "../../support/browser.ts";
import {
  type Credentials,
  logoutRequestXml,
  type LogoutParts,
  logoutResponseXml,
  newCredentials,
  newId,
  readSent,
  redirectQuery,
  signXml,
  toBase64,
} from "../../support/saml-identity-provider.ts";
import {
  postedForm,
  registerServiceProvider,
  type ServiceProvider,
} from "../../support/saml-service-provider.ts";
import { type Scene, setScene } from "./support.ts";

let scene: Scene;
let browser: HttpBrowser;
let nameId: string;
let sessionIndex: string;

beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene.server.stop());

const signInTo = async (of: ServiceProvider) => {
  const page = await scene.send(scene.write({}, of), { of, browser });
  const xml = Buffer.from(postedForm(page).fields["SAMLResponse"] ?? "", "base64").toString();
  const index = /SessionIndex="([^"]+)"/.exec(xml)?.[1];
  const name = /<saml:NameID[^>]*>([^<]+)</.exec(xml)?.[1];
  if (!index || !name) throw new Error("no session there");
  return { name, index };
};

beforeEach(async () => {
  browser = await signedInBrowser(scene.server, scene.ada);
  ({ name: nameId, index: sessionIndex } = await signInTo(scene.sp));
});

const isSignedIn = async () => (await browser.open("/account")).url.pathname === "/account";

const endpointOf = (of: ServiceProvider) => of.saml.options.logoutUrl;

const write = (changes: Partial<LogoutParts> = {}, of = scene.sp) =>
  logoutRequestXml({
    now: scene.server.clock.now(),
    issuer: of.entityId,
    destination: endpointOf(of),
    nameId,
    sessionIndex,
    ...changes,
  });

const send = (xml: string, by: Credentials | undefined, of = scene.sp): Promise<Visit> =>
  browser.open(`${endpointOf(of)}?${redirectQuery("SAMLRequest", xml, "r", by)}`);

const post = (xml: string, of = scene.sp) =>
  browser.postFromElsewhere(endpointOf(of), { SAMLRequest: toBase64(xml) });

it("what the attacks are made from is accepted", async () => {
  expect((await send(write(), scene.sp.credentials)).url.href).toStartWith(scene.sp.sloUrl);
  expect(await isSignedIn()).toBe(false);
});

describe("a LogoutRequest that the application did not make (SAML Profiles §4.4.4.1)", () => {
  /** Guard: readRedirectLogout and readPostLogout verify before anything is read. */
  it("unsigned", async () => {
    scene.expectRefused(await send(write(), undefined), "unsigned");
    scene.expectRefused(await post(write()), "unsigned");
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: the policy of the application's own certificates. */
  it("signed by another key, or by another application", async () => {
    const thief = await newCredentials("thief");
    const other = await registerServiceProvider(scene.server);
    for (const { privateKey, certificate } of [thief, other.credentials]) {
      const by = { privateKey, certificate };
      scene.expectRefused(await send(write(), by), "signature_mismatch");
      scene.expectRefused(await post(signXml(write(), "LogoutRequest", by)), "signature_mismatch");
    }
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: the same; without a certificate there is nobody whose signature counts. */
  it("to an application that has registered no certificate", async () => {
    const bare = await registerServiceProvider(scene.server, { signing_certificates: [], slo_url: null });
    const { name, index } = await signInTo(bare);
    const xml = write({ nameId: name, sessionIndex: index }, bare);
    scene.expectRefused(await send(xml, undefined, bare), "unsigned");
    scene.expectRefused(await send(xml, bare.credentials, bare), "signature_mismatch");
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: `refuseMisplacedSignatures` in protocol/saml/logout.ts. */
  it("wrapped around one that was signed", async () => {
    const signed = signXml(write({ nameId: "nobody@example.com" }), "LogoutRequest", scene.sp.credentials);
    const wrapped = write().replace(
      "<saml:NameID>",
      `<samlp:Extensions>${signed}</samlp:Extensions><saml:NameID>`,
    );
    scene.expectRefused(await post(wrapped), "misplaced_signature");
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: issuer, destination and age, as checkMessage is given them. */
  it("made for somebody else, or kept", async () => {
    const old = new Date(scene.server.clock.now().getTime() - 3_600_000);
    const { credentials } = scene.sp;
    scene.expectRefused(await send(write({ issuer: "https://other.example" }), credentials), "issuer");
    scene.expectRefused(
      await send(write({ destination: "https://idp.example/slo" }), credentials),
      "destination",
    );
    scene.expectRefused(await send(write({ now: old }), credentials), "issue_instant");
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: the client by which findNamed in domain/saml-idp/repo.ts looks. */
  it("by an application that the person is not signed in to there, or of a session that is not its own", async () => {
    const other = await registerServiceProvider(scene.server);
    await send(write({}, other), other.credentials, other);
    await send(write({ sessionIndex: undefined }, other), other.credentials, other);
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: name and index both count in findNamed. */
  it("about another person, by a session that it saw", async () => {
    await send(write({ nameId: "grace@example.com" }), scene.sp.credentials);
    expect(await isSignedIn()).toBe(true);
    await send(write({ sessionIndex: "sidx_01ARZ3NDEKTSV4RRFFQ69G5FAV" }), scene.sp.credentials);
    await send(write({ sessionIndex: "x' or 1=1 --" }), scene.sp.credentials);
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: useOnce in endNamed of domain/saml-idp/logout.ts. */
  it("a second time, for who signed in again", async () => {
    const xml = write({ sessionIndex: undefined });
    await send(xml, scene.sp.credentials);
    browser = await signedInBrowser(scene.server, scene.ada);
    await signInTo(scene.sp);
    scene.expectRefused(await send(xml, scene.sp.credentials), "replayed");
    expect(await isSignedIn()).toBe(true);
  });

  /** Guard: HEAD is answered before anything is done, in web/saml/idp-logout.ts. */
  it("by a request that may change nothing", async () => {
    const query = redirectQuery("SAMLRequest", write(), "r", scene.sp.credentials);
    await fetch(`${endpointOf(scene.sp)}?${query}`, { method: "HEAD", redirect: "manual" });
    expect(await isSignedIn()).toBe(true);
  });
});

describe("an answer to a LogoutRequest of ours (SAML Profiles §4.4.4.2)", () => {
  /** Asks the second application, on behalf of the first; @returns what was asked. */
  async function asked(second: ServiceProvider) {
    await signInTo(second);
    const page = await send(write(), scene.sp.credentials);
    expect(page.url.href).toStartWith(second.sloUrl);
    return readSent(page.url.href);
  }

  const answer = (
    of: ServiceProvider,
    {
      relayState,
      inResponseTo,
      by = of.credentials,
    }: { relayState: string; inResponseTo: string; by?: Credentials },
  ) => {
    const now = scene.server.clock.now();
    const xml = logoutResponseXml({ now, issuer: of.entityId, destination: endpointOf(of), inResponseTo });
    return browser.open(`${endpointOf(of)}?${redirectQuery("SAMLResponse", xml, relayState, by)}`);
  };

  /** Guard: consumeOneChallenge behind openChain, and `awaiting` in domain/saml-idp/logout.ts. */
  it("counts once, from who was asked, for what was asked", async () => {
    const second = await registerServiceProvider(scene.server);
    const first = await asked(second);
    const thief = await newCredentials("thief");
    const right = { relayState: first.relayState, inResponseTo: first.id };
    scene.expectRefused(await answer(second, { ...right, by: thief }), "signature_mismatch");
    expect((await answer(second, right)).url.href).toStartWith(scene.sp.sloUrl);
    scene.expectRefused(await answer(second, right), "in_response_to");
  });

  it("from another application, or to another request, ends the chain for good", async () => {
    const second = await registerServiceProvider(scene.server);
    const { relayState, id } = await asked(second);
    scene.expectRefused(await answer(scene.sp, { relayState, inResponseTo: id }), "in_response_to");
    scene.expectRefused(await answer(second, { relayState, inResponseTo: id }), "in_response_to");
    browser = await signedInBrowser(scene.server, scene.ada);
    ({ name: nameId, index: sessionIndex } = await signInTo(scene.sp));
    const again = await asked(second);
    const wrong = { relayState: again.relayState, inResponseTo: newId() };
    scene.expectRefused(await answer(second, wrong), "in_response_to");
  });

  /** Guard: the challenge's kind and tenant; RelayState is nothing but its token. */
  it("leads nowhere by a RelayState that somebody made up", async () => {
    for (const relayState of ["https://evil.example", "chal_01ARZ3NDEKTSV4RRFFQ69G5FAV_x", ""]) {
      const page = await answer(scene.sp, { relayState, inResponseTo: newId() });
      scene.expectRefused(page, "in_response_to");
    }
  });
});
