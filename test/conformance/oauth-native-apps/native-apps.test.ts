/** OAuth 2.0 for native apps (RFC 8252): where their answers may go, and that their consent is asked for each time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import type { HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, answerOf, type Application, registerApplication, signedInBrowser } from "../support.ts";

let server: TestServer;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  app = await registerApplication(server, {
    public: true,
    applicationType: "native",
    redirectUris: [
      "http://127.0.0.1/callback",
      "http://[::1]/callback",
      "http://localhost/callback",
      "com.example.app:/callback",
    ],
  });
  browser = await signedInBrowser(server, await addUser(server, "ada"));
});
afterAll(() => server.stop());
beforeEach(() => server.clock.advance(1));

const openWith = async (redirectUri: string, of: Application = app) =>
  browser.open((await of.begin({ redirect_uri: redirectUri })).url);

describe("RFC 8252 §7.3: a loopback redirect URI", () => {
  it.each([
    "http://127.0.0.1:51004/callback",
    "http://[::1]:51004/callback",
    "http://localhost:51004/callback",
  ])("takes any port: %s", async (redirectUri) => {
    const visit = await openWith(redirectUri);
    expect(visit.url.href.startsWith(`${redirectUri}?`)).toBe(true);
    expect(answerOf(visit)).toHaveProperty("code");
  });

  it("takes no other path or host", async () => {
    for (const uri of ["http://127.0.0.1:51004/other", "http://127.0.0.2:51004/callback"])
      expect((await openWith(uri)).status).toBe(400);
  });

  it("takes no other port for a web client", async () => {
    const web = await registerApplication(server, { redirectUris: ["http://127.0.0.1/callback"] });
    expect((await openWith("http://127.0.0.1:51004/callback", web)).status).toBe(400);
  });
});

describe("RFC 8252 §7.1: a private-use scheme", () => {
  it("is a place to answer at, written exactly as it is registered", async () => {
    expect(answerOf(await openWith("com.example.app:/callback"))).toHaveProperty("code");
    expect((await openWith("com.example.app://callback")).status).toBe(400);
  });
});

describe("RFC 8252 §8.6: an app that another one could pretend to be", () => {
  it("is consented to each time, and never silently", async () => {
    const foreign = await registerApplication(server, {
      public: true,
      firstParty: false,
      applicationType: "native",
      redirectUris: ["http://127.0.0.1/callback"],
    });
    const redirect = { redirect_uri: "http://127.0.0.1:51004/callback" };
    for (let time = 0; time < 2; time++) {
      server.clock.advance(1);
      const page = await browser.open((await foreign.begin(redirect)).url);
      expect(page.url.pathname).toBe("/oauth/consent");
      expect(answerOf(await browser.submit(page, "/oauth/consent", { decision: "allow" }))).toHaveProperty(
        "code",
      );
    }
    server.clock.advance(1);
    const silent = await browser.open((await foreign.begin({ ...redirect, prompt: "none" })).url);
    expect(answerOf(silent)["error"]).toBe("consent_required");
  });
});
