/** The page of the device authorization grant (RFC 8628 §3.3, §5), with `openid-client` as the device. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import * as client from "openid-client";
import type { User } from "../../../src/domain/users/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, type Application, fillSignIn, registerApplication, signedInBrowser } from "../support.ts";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  app = await registerApplication(server, {
    name: "Living room TV",
    firstParty: false,
    grantTypes: ["urn:ietf:params:oauth:grant-type:device_code"],
  });
});
afterAll(() => server.stop());
beforeEach(async () => {
  ada = await addUser(server, `ada-${Bun.randomUUIDv7().slice(-8)}`);
  browser = await signedInBrowser(server, ada);
  server.clock.advance(1);
});

const begin = () => client.initiateDeviceAuthorization(app.config, { scope: "openid profile" });

const poll = (started: Awaited<ReturnType<typeof begin>>) =>
  client.genericGrantRequest(app.config, "urn:ietf:params:oauth:grant-type:device_code", {
    device_code: started.device_code,
  });

const enter = async (userCode: string, by: HttpBrowser = browser) =>
  by.submit(await by.open("/device"), "/device", { user_code: userCode });

describe("RFC 8628 §3.3: the page at verification_uri", () => {
  it("takes the code, shows application, scope and place, and lets the device in", async () => {
    const started = await begin();
    expect(started.verification_uri).toBe(`${server.url}/device`);
    const page = await enter(started.user_code);
    expect(page.status).toBe(200);
    for (const text of ["Living room TV", "See your profile", started.user_code, "127.0.0.1"])
      expect(page.html).toContain(text);
    const done = await browser.submit(page, "/device/decision", { decision: "allow" });
    expect(done.html).toContain("Your device is connected");
    expect(await poll(started)).toHaveProperty("access_token");
  });

  it("takes the code as people type it: any case, with or without the dash (§6.1)", async () => {
    const started = await begin();
    const page = await enter(` ${started.user_code.toLowerCase().replace("-", " ")} `);
    expect(page.html).toContain("Living room TV");
  });

  it("keeps the device out", async () => {
    const started = await begin();
    const done = await browser.submit(await enter(started.user_code), "/device/decision", {
      decision: "deny",
    });
    expect(done.html).toContain("Access denied");
    await expect(poll(started)).rejects.toMatchObject({ error: "access_denied" });
  });

  it("is not decided by anything but the button that allows", async () => {
    const started = await begin();
    await browser.submit(await enter(started.user_code), "/device/decision");
    await expect(poll(started)).rejects.toMatchObject({ error: "access_denied" });
  });

  it("fills in the code of verification_uri_complete, and goes no further by itself (§3.3.1)", async () => {
    const started = await begin();
    const page = await browser.open(started.verification_uri_complete ?? "");
    expect(page.forms.find(({ action }) => action === "/device")?.fields["user_code"]).toBe(
      started.user_code,
    );
    expect(page.html).not.toContain("Living room TV");
  });

  it("asks for a sign-in first, and comes back with the code", async () => {
    const started = await begin();
    const stranger = createHttpBrowser(server.url);
    const signIn = await stranger.open(started.verification_uri_complete ?? "");
    expect(signIn.url.pathname).toBe("/signin");
    const page = await fillSignIn(stranger, signIn, ada.username);
    expect([
      page.url.pathname,
      page.forms.find(({ action }) => action === "/device")?.fields["user_code"],
    ]).toEqual(["/device", started.user_code]);
  });

  it("says that a code is wrong, used or expired, all alike", async () => {
    const [used, expired] = [await begin(), await begin()];
    await browser.submit(await enter(used.user_code), "/device/decision", { decision: "deny" });
    server.clock.advance(601);
    for (const code of ["BCDF-GHJK", "nonsense", used.user_code, expired.user_code]) {
      const page = await enter(code);
      expect([page.status, page.html.includes("This code is not right")]).toEqual([400, true]);
    }
  });

  it("stands among what the person let in", async () => {
    const started = await begin();
    await browser.submit(await enter(started.user_code), "/device/decision", { decision: "allow" });
    expect((await browser.open("/account")).html).toContain("Living room TV");
  });
});
