/**
 * Signing others out (SAML Profiles §4.4). Guards: the replay of requests, that sessions are looked for by connection and name
 * together, that a message is what its parameter says, that HEAD changes nothing, that
 * a RelayState is short (protocol/saml/relay-state.ts), and that an answer belongs to a logout of ours.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { upstreamSamlSessions } from "../../../src/db/schema/index.ts";
import type { SamlConnection } from "../../../src/domain/connections/service.ts";
import type { HttpBrowser } from "../../support/browser.ts";
import { connectSaml, idp, isSignedIn, spOf, travel } from "../../support/saml-connection.ts";
import {
  logoutRequestXml,
  logoutResponseXml,
  newId,
  readSent,
  redirectQuery,
  signXml,
  toBase64,
} from "../../support/saml-identity-provider.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { stranger, trusted } from "./support.ts";

const signedRequest = (xml: string, by = trusted) => signXml(xml, "LogoutRequest", by);

describe("single logout", () => {
  let server: TestServer;
  let connection: SamlConnection;
  beforeAll(async () => {
    server = await startTestServer();
    connection = await connectSaml(server, trusted);
  });
  afterAll(() => server?.stop());

  const sloUrl = (of = connection) => spOf(server, of).sloUrl;
  const requestFor = (nameId: string, sessionIndex?: string, of = connection) =>
    logoutRequestXml({
      now: server.clock.now(),
      issuer: idp.entityId,
      destination: sloUrl(of),
      nameId,
      sessionIndex,
    });
  const open = (query: string, of = connection) => fetch(`${sloUrl(of)}?${query}`, { redirect: "manual" });
  const signIn = async (name: string, of = connection) => {
    const nameId = `${name}@example.com`;
    return travel(server, of, trusted, { nameId, attributes: { email: [nameId] } });
  };
  const stillIn = async (browser: HttpBrowser) =>
    (await browser.open("/account")).url.pathname === "/account";

  it("ends the session that it names, and no other of the person", async () => {
    const [one, other] = [await signIn("slo"), await signIn("slo")];
    expect([await stillIn(one.browser), await stillIn(other.browser)]).toEqual([true, true]);
    const xml = requestFor("slo@example.com", one.parts.sessionIndex);
    const answer = await open(redirectQuery("SAMLRequest", xml, "theirs", trusted));
    expect([await stillIn(one.browser), await stillIn(other.browser)]).toEqual([false, true]);
    const location = answer.headers.get("location") ?? "";
    expect(location.startsWith(`${idp.sloUrl}?SAMLResponse=`)).toBe(true);
    const sent = readSent(location);
    expect(sent.relayState).toBe("theirs");
    expect(sent.xml).toContain(`InResponseTo="${/ ID="([^"]+)"/.exec(xml)?.[1]}"`);
    expect(sent.xml).toContain("status:Success");
  });

  it("ends all sessions of the name when it names none, by the POST binding as well", async () => {
    const [one, other] = [await signIn("slo-all"), await signIn("slo-all")];
    const xml = signedRequest(requestFor("slo-all@example.com"));
    const answer = await postForm(sloUrl(), { SAMLRequest: toBase64(xml) });
    expect(answer.status).toBeLessThan(400);
    expect([await stillIn(one.browser), await stillIn(other.browser)]).toEqual([false, false]);
  });

  it("ends nothing when it is refused", async () => {
    const { browser } = await signIn("kept");
    const xml = requestFor("kept@example.com");
    const refused = await Promise.all([
      open(redirectQuery("SAMLRequest", xml, undefined, undefined)),
      open(redirectQuery("SAMLRequest", xml, undefined, stranger)),
      postForm(sloUrl(), { SAMLRequest: toBase64(xml) }),
      postForm(sloUrl(), { SAMLRequest: toBase64(signedRequest(xml, stranger)) }),
      postForm(sloUrl(), { SAMLResponse: toBase64(signedRequest(xml)) }),
      open(redirectQuery("SAMLRequest", xml, "x".repeat(1025), trusted)),
      postForm(sloUrl(), { SAMLRequest: toBase64(signedRequest(xml)), RelayState: "x".repeat(1025) }),
      fetch(`${sloUrl()}?${redirectQuery("SAMLRequest", xml, undefined, trusted)}`, { method: "HEAD" }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([...Array(7).fill(400), 200]);
    expect(await stillIn(browser)).toBe(true);
  });

  it("ends nothing a second time by the same request", async () => {
    await signIn("twice");
    const query = redirectQuery("SAMLRequest", requestFor("twice@example.com"), undefined, trusted);
    expect((await open(query)).status).toBe(302);
    const { browser } = await signIn("twice");
    expect((await open(query)).status).toBe(400);
    expect(await stillIn(browser)).toBe(true);
  });

  it("ends nothing of another connection's people of that name", async () => {
    const other = await connectSaml(server, trusted, { config: { idp_entity_id: idp.entityId } });
    const { browser } = await signIn("namesake");
    const xml = requestFor("namesake@example.com", undefined, other);
    expect((await open(redirectQuery("SAMLRequest", xml, undefined, trusted), other)).status).toBe(302);
    expect(await stillIn(browser)).toBe(true);
  });

  it("ends a session that a second factor came before", async () => {
    const { browser, parts } = await signIn("factor");
    await server.deps.db.update(upstreamSamlSessions).set({ sessionId: null });
    const xml = requestFor("factor@example.com", parts.sessionIndex);
    await open(redirectQuery("SAMLRequest", xml, undefined, trusted));
    expect(await stillIn(browser)).toBe(false);
  });

  describe("that begins here", () => {
    async function leave(name: string, of = connection) {
      const { browser, parts } = await signIn(name, of);
      const page = await browser.open("/account");
      const left = await browser.submit(page, "/signout");
      const target = left.status === 0 ? left.url.href : (/url=([^"]+)"/i.exec(left.html)?.[1] ?? "");
      return { browser, parts, target: target.replaceAll("&amp;", "&") };
    }

    it("tells the identity provider of the session, and comes back", async () => {
      const { browser, parts, target } = await leave("leaver");
      expect(isSignedIn(browser)).toBe(false);
      expect(target.startsWith(`${idp.sloUrl}?SAMLRequest=`)).toBe(true);
      const sent = readSent(target);
      expect(sent.xml).toContain(`<samlp:SessionIndex>${parts.sessionIndex}</samlp:SessionIndex>`);
      expect(sent.xml).toContain(">leaver@example.com</saml:NameID>");
      const response = logoutResponseXml({
        now: server.clock.now(),
        issuer: idp.entityId,
        destination: sloUrl(),
        inResponseTo: sent.id,
      });
      const back = await browser.open(
        `${sloUrl()}?${redirectQuery("SAMLResponse", response, sent.relayState, trusted)}`,
      );
      expect(`${back.url.pathname}${back.url.search}`).toBe("/signin?notice=signed_out");
    });

    it("refuses an answer to another logout, a made up one, and one that comes again", async () => {
      const { target } = await leave("refuser");
      const sent = readSent(target);
      const answer = (
        inResponseTo: string,
        relayState: string | undefined,
        by: typeof trusted | undefined = trusted,
      ) => {
        const xml = logoutResponseXml({
          now: server.clock.now(),
          issuer: idp.entityId,
          destination: sloUrl(),
          inResponseTo,
        });
        return open(redirectQuery("SAMLResponse", xml, relayState, by));
      };
      expect((await answer(sent.id, undefined)).status).toBe(400);
      expect((await answer(sent.id, "https://attacker.example/")).status).toBe(400);
      expect((await answer(sent.id, sent.relayState, stranger)).status).toBe(400);
      expect((await answer(sent.id, sent.relayState)).status).toBe(302);
      expect((await answer(sent.id, sent.relayState)).status).toBe(400);
      const other = readSent((await leave("refuser")).target);
      expect((await answer(newId(), other.relayState)).status).toBe(400);
    });

    it("refuses the answer of another connection's identity provider", async () => {
      const { target } = await leave("mixed");
      const sent = readSent(target);
      const other = await connectSaml(server, trusted);
      const xml = logoutResponseXml({
        now: server.clock.now(),
        issuer: idp.entityId,
        destination: sloUrl(other),
        inResponseTo: sent.id,
      });
      const query = redirectQuery("SAMLResponse", xml, sent.relayState, trusted);
      expect((await open(query, other)).status).toBe(400);
    });

    it("leads nowhere else where the identity provider has no single logout", async () => {
      const without = await connectSaml(server, trusted, { config: { slo_url: undefined } });
      const { browser } = await signIn("local", without);
      const left = await browser.submit(await browser.open("/account"), "/signout");
      expect(left.url.pathname).toBe("/signin");
    });
  });
});
