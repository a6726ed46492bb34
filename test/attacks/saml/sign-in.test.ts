/**
 * Responses that are good in themselves, and brought by somebody, somewhere or some time else. Guards: `useOnce` and
 * `consumeAnswer` (domain/saml-sp), `consumeRoundTrip` with its browser and its connection, `checkInResponseTo`, and that a
 * RelayState names a trip and never an address.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createTenant } from "../../../src/domain/tenants/service.ts";
import type { SamlConnection } from "../../../src/domain/connections/service.ts";
import { createHttpBrowser } from "../../support/browser.ts";
import {
  bring,
  connectSaml,
  depart,
  isSignedIn,
  rightParts,
  type Sent,
  spOf,
} from "../../support/saml-connection.ts";
import {
  type Credentials,
  newCredentials,
  type ResponseParts,
  signedResponse,
  toBase64,
} from "../../support/saml-identity-provider.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let credentials: Credentials;
let connection: SamlConnection;
beforeAll(async () => {
  server = await startTestServer();
  credentials = await newCredentials();
  connection = await connectSaml(server, credentials);
});
afterAll(() => server?.stop());

let people = 0;
const somebody = () => `person-${(people += 1)}@example.com`;

function answerTo(
  sent: Pick<Sent, "requestId">,
  changes: Partial<ResponseParts> = {},
  of = connection,
): string {
  const nameId = somebody();
  const says = { inResponseTo: sent.requestId, nameId, attributes: { email: [nameId] }, ...changes };
  return signedResponse(rightParts(server, spOf(server, of), says), "both", credentials);
}

const post = (xml: string, relayState: string, to = connection) =>
  postForm(spOf(server, to).acsUrl, { SAMLResponse: toBase64(xml), RelayState: relayState });

describe("replay (SAML Profiles §4.1.4.5)", () => {
  it("takes a response once", async () => {
    const sent = await depart(server, spOf(server, connection));
    const xml = answerTo(sent);
    expect((await post(xml, sent.relayState)).status).toBe(303);
    expect((await post(xml, sent.relayState)).status).toBe(400);
  });

  it("takes one of twenty that race", async () => {
    const sent = await depart(server, spOf(server, connection));
    const xml = answerTo(sent);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(xml, sent.relayState)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, ...Array<number>(19).fill(400)]);
  });

  it("takes an assertion once, whatever response it is put into", async () => {
    const sent = await depart(server, spOf(server, connection));
    const parts = rightParts(server, spOf(server, connection), { inResponseTo: sent.requestId });
    const xml = signedResponse(parts, "assertion", credentials);
    expect((await post(xml, sent.relayState)).status).toBe(303);
    const other = xml.replace(parts.responseId, "_another");
    expect((await post(other, sent.relayState)).status).toBe(400);
  });

  it("remembers an assertion for as long as it could be presented", async () => {
    const sent = await depart(server, spOf(server, connection));
    const xml = answerTo(sent);
    expect((await post(xml, sent.relayState)).status).toBe(303);
    server.clock.advance(300);
    expect((await post(xml, sent.relayState)).status).toBe(400);
  });

  it("hands out what it said once, to one of those that race", async () => {
    const sent = await depart(server, spOf(server, connection));
    const location = (await post(answerTo(sent), sent.relayState)).headers.get("location") ?? "";
    const visits = await Promise.all(Array.from({ length: 8 }, () => sent.browser.open(location)));
    expect(visits.filter(({ url }) => url.pathname === "/account")).toHaveLength(1);
  });
});

describe("another browser (login CSRF)", () => {
  it("is not signed in by a response to the attacker's own request", async () => {
    const attacker = await depart(server, spOf(server, connection));
    const victim = createHttpBrowser(server.url);
    const visit = await bring(spOf(server, connection), { ...attacker, browser: victim }, answerTo(attacker));
    expect(visit.status).toBe(400);
    expect(isSignedIn(victim)).toBe(false);
  });

  it("is not signed in by the address that the attacker was sent on to", async () => {
    const attacker = await depart(server, spOf(server, connection));
    const location = (await post(answerTo(attacker), attacker.relayState)).headers.get("location") ?? "";
    const victim = createHttpBrowser(server.url);
    expect((await victim.open(location)).status).toBe(400);
    expect(isSignedIn(victim)).toBe(false);
  });

  it("is not signed in with its own trip and a response to another request", async () => {
    const [own, other] = [
      await depart(server, spOf(server, connection)),
      await depart(server, spOf(server, connection)),
    ];
    const visit = await bring(spOf(server, connection), own, answerTo(other));
    expect(visit.status).toBe(400);
    expect(isSignedIn(own.browser)).toBe(false);
  });

  it("is not signed in without a RelayState, with a made up one, or with one that was used", async () => {
    for (const relayState of [
      undefined,
      "",
      "chal_01J00000000000000000000000_x",
      "https://attacker.example/",
    ]) {
      const sent = await depart(server, spOf(server, connection));
      const visit = await bring(spOf(server, connection), { ...sent, relayState }, answerTo(sent));
      expect(visit.status).toBe(400);
      expect(isSignedIn(sent.browser)).toBe(false);
    }
    const sent = await depart(server, spOf(server, connection));
    expect((await bring(spOf(server, connection), sent, answerTo(sent))).url.pathname).toBe("/account");
    const again = await bring(spOf(server, connection), sent, answerTo(sent));
    expect(again.status).toBe(400);
  });

  it("keeps its cookie when a form of another site comes along", async () => {
    const sent = await depart(server, spOf(server, connection));
    const answer = await post(answerTo(sent), sent.relayState);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe("another connection", () => {
  it("does not take what was said to this one, though one identity provider serves both", async () => {
    const other = await connectSaml(server, credentials);
    const sent = await depart(server, spOf(server, connection));
    expect((await post(answerTo(sent), sent.relayState, other)).status).toBe(400);
  });

  it("does not end a trip of this one", async () => {
    const other = await connectSaml(server, credentials);
    const sent = await depart(server, spOf(server, connection));
    const visit = await bring(spOf(server, other), sent, answerTo(sent, {}, other));
    expect(visit.status).toBe(400);
    expect(isSignedIn(sent.browser)).toBe(false);
  });

  it("does not hand out what was said to this one", async () => {
    const other = await connectSaml(server, credentials);
    const sent = await depart(server, spOf(server, connection));
    const location = (await post(answerTo(sent), sent.relayState)).headers.get("location") ?? "";
    const visit = await sent.browser.open(location.replace(connection.id, other.id));
    expect(visit.status).toBe(400);
    expect(isSignedIn(sent.browser)).toBe(false);
  });

  it("does not hand it out either where the identity provider may begin, and no trip says which one it was", async () => {
    const idpInitiated = { config: { allow_idp_initiated: true } };
    const [one, other] = [
      await connectSaml(server, credentials, idpInitiated),
      await connectSaml(server, credentials, idpInitiated),
    ];
    const xml = answerTo({ requestId: "_x" }, { inResponseTo: undefined }, one);
    const location = (await post(xml, "x", one)).headers.get("location") ?? "";
    const browser = createHttpBrowser(server.url);
    expect((await browser.open(location.replace(one.id, other.id))).status).toBe(400);
    expect(isSignedIn(browser)).toBe(false);
  });

  it("of another tenant is none: every path answers as for one that there is not", async () => {
    const tenant = await createTenant(server.deps, { slug: "saml-other", name: "Other" });
    const theirs = await connectSaml(server, credentials, {}, tenant);
    const sent = await depart(server, spOf(server, connection));
    for (const id of [theirs.id, theirs.key, "conn_01J00000000000000000000000", "nobody"]) {
      const at = `${server.url}/saml/${id}`;
      expect((await fetch(`${at}/metadata`)).status).toBe(404);
      expect((await fetch(`${at}/login`, { redirect: "manual" })).status).toBe(404);
      expect((await fetch(`${at}/acs?handle=x`)).status).toBe(404);
      const fields = { SAMLResponse: toBase64(answerTo(sent)), RelayState: sent.relayState };
      expect((await postForm(`${at}/acs`, fields)).status).toBe(404);
      expect((await fetch(`${at}/slo?SAMLRequest=x`)).status).toBe(404);
      expect((await postForm(`${at}/slo`, { SAMLRequest: "x" })).status).toBe(404);
    }
    expect((await fetch(`${server.url}/t/saml-other/saml/${theirs.id}/metadata`)).status).toBe(200);
    expect((await fetch(`${server.url}/t/saml-other/saml/${connection.id}/metadata`)).status).toBe(404);
  });

  it("that was switched off while the person was there signs nobody in", async () => {
    const off = await connectSaml(server, credentials, { enabled: false });
    expect((await post(answerTo({ requestId: "_x" }, {}, off), "x", off)).status).toBe(404);
  });
});

describe("where a sign-in leads (open redirect)", () => {
  it("is never what a RelayState says, also where the identity provider may begin", async () => {
    const open = await connectSaml(server, credentials, { config: { allow_idp_initiated: true } });
    for (const relayState of [
      "https://attacker.example/",
      "//attacker.example/",
      "/\\attacker.example",
      "javascript:alert(1)",
      "/admin",
    ]) {
      const browser = createHttpBrowser(server.url);
      const xml = answerTo({ requestId: "_x" }, { inResponseTo: undefined }, open);
      const visit = await bring(spOf(server, open), { browser, relayState }, xml);
      expect(visit.url.href).toBe(`${server.url}/account`);
    }
  });

  it("is no trip of somebody else's by an unasked response", async () => {
    const open = await connectSaml(server, credentials, { config: { allow_idp_initiated: true } });
    const sent = await depart(server, spOf(server, open));
    const xml = answerTo(sent, { inResponseTo: undefined }, open);
    expect((await bring(spOf(server, open), sent, xml)).status).toBe(400);
  });
});

describe("what is told of a refusal", () => {
  it("is the same, whatever the reason", async () => {
    const sent = await depart(server, spOf(server, connection));
    const stranger = await newCredentials("stranger");
    const parts = rightParts(server, spOf(server, connection), { inResponseTo: sent.requestId });
    const bodies = await Promise.all(
      [
        signedResponse(parts, "both", stranger),
        answerTo(sent, { audience: "https://other.example" }),
        answerTo(sent).replace("<saml:Issuer>", "<!-- --><saml:Issuer>"),
        "<a/>",
      ].map(async (xml) => {
        const response = await post(xml, sent.relayState);
        expect(response.status).toBe(400);
        return (await response.text()).replaceAll(/req_\w+/g, "");
      }),
    );
    expect(new Set(bodies).size).toBe(1);
    expect(bodies[0]).not.toMatch(/signature|audience|comment/i);
  });

  it("says nothing of what was sent", async () => {
    const response = await postForm(spOf(server, connection).acsUrl, {
      SAMLResponse: toBase64("<script>alert(1)</script>"),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain("alert(1)");
  });

  it("is the same 400 for a body that is no form", async () => {
    for (const body of ["", "SAMLResponse", "{}", "SAMLResponse=%", "\u0000"]) {
      expect((await postForm(spOf(server, connection).acsUrl, body)).status).toBe(400);
    }
  });
});
