/** RFC 8628, the endpoints that the device calls: our reading of it, driven by openid-client where it can. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import * as client from "openid-client";
import { auditEvents, deviceAuthorizations } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { type HttpBrowser } from "../../support/browser.ts";
import { answerDevice } from "../../support/devices.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import { dpopProof, fetchNonce, newTestKey, type TestKey } from "../../support/signed.ts";
import {
  addUser,
  type Application,
  refusal,
  registerApplication,
  signedInBrowser,
  userinfoStatus,
} from "../support.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE = "openid profile email";

let server: TestServer;
let ada: User;
let app: Application;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
  ada = await addUser(server, "ada");
});
afterAll(() => server.stop());
beforeEach(async () => {
  app = await registerDevice();
  browser = await signedInBrowser(server, ada);
});

const registerDevice = (row = {}) =>
  registerApplication(server, { public: true, grantTypes: [GRANT, "refresh_token"], redirectUris: [], row });

const begin = (parameters: Record<string, string> = {}) =>
  client.initiateDeviceAuthorization(app.config, { scope: SCOPE, ...parameters });

const poll = (deviceCode: string) =>
  client.genericGrantRequest(app.config, GRANT, { device_code: deviceCode });

const approve = ({ verification_uri_complete = "" }: { verification_uri_complete?: string }) =>
  answerDevice(browser, verification_uri_complete);

describe("RFC 8628 §3.2: the device authorization response", () => {
  it("holds both codes, where to go, and how long they last", async () => {
    const answer = await begin();
    expect(answer).toEqual({
      device_code: expect.stringMatching(/^dev_[0-9A-Z]{26}_[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${server.url}/device`,
      verification_uri_complete: `${server.url}/device?user_code=${answer.user_code}`,
      expires_in: 600,
      interval: 5,
    });
  });

  it("is not to be stored, and only the digest of the device code is kept", async () => {
    const raw = await postForm(`${server.url}/oauth/device_authorization`, {
      client_id: app.registered.client.clientId,
      scope: SCOPE,
    });
    expect(raw.headers.get("cache-control")).toBe("no-store");
    const { device_code } = (await raw.json()) as { device_code: string };
    const rows = await server.deps.db.select().from(deviceAuthorizations);
    expect(JSON.stringify(rows)).not.toContain(device_code.slice(-43));
  });

  it("is refused to a client that may not use the grant, or asks for a scope it may not have (§3.1)", async () => {
    expect(await refusal(begin({ scope: "openid admin" }))).toBe("invalid_scope");
    app = await registerApplication(server, { public: true });
    expect(await refusal(begin())).toBe("unauthorized_client");
  });

  it("is refused to a confidential client without its credentials (§3.1)", async () => {
    const { registered } = await registerApplication(server, { grantTypes: [GRANT], redirectUris: [] });
    const answer = await postForm(`${server.url}/oauth/device_authorization`, {
      client_id: registered.client.clientId,
    });
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: "invalid_client" }]);
  });
});

describe("RFC 8628 §3.5: a poll", () => {
  it("is told to wait while nobody has answered", async () => {
    const { device_code } = await begin();
    expect(await refusal(poll(device_code))).toBe("authorization_pending");
    server.clock.advance(5);
    expect(await refusal(poll(device_code))).toBe("authorization_pending");
  });

  it("that comes too early is told to slow down, by five seconds more each time", async () => {
    const { device_code } = await begin();
    expect(await refusal(poll(device_code))).toBe("authorization_pending");
    server.clock.advance(4);
    expect(await refusal(poll(device_code))).toBe("slow_down");
    server.clock.advance(5);
    expect(await refusal(poll(device_code))).toBe("slow_down");
    server.clock.advance(15);
    expect(await refusal(poll(device_code))).toBe("authorization_pending");
  });

  it("gets tokens of whoever allowed it, once", async () => {
    const device = await begin();
    expect(await approve(device)).toBe(200);
    const tokens = await poll(device.device_code);
    expect(tokens).toMatchObject({ token_type: "bearer", scope: SCOPE, refresh_token: expect.any(String) });
    expect(await client.fetchUserInfo(app.config, tokens.access_token, ada.id)).toMatchObject({
      sub: ada.id,
    });
    server.clock.advance(5);
    expect(await refusal(poll(device.device_code))).toBe("invalid_grant");
    expect(await userinfoStatus(server, tokens.access_token)).toBe(200);
  });

  it("gets an ID token for scope openid, of that sign-in", async () => {
    const device = await begin();
    await approve(device);
    const { id_token = "" } = await poll(device.device_code);
    const claims = JSON.parse(Buffer.from(id_token.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({
      iss: server.url,
      sub: ada.id,
      aud: app.registered.client.clientId,
      amr: ["pwd"],
    });
  });

  it("is refused for good when the person denied it", async () => {
    const device = await begin();
    expect(await answerDevice(browser, device.verification_uri_complete ?? "", "deny")).toBe(200);
    expect(await refusal(poll(device.device_code))).toBe("access_denied");
  });

  it("is told when the code's time is over", async () => {
    const device = await begin();
    await approve(device);
    server.clock.advance(600);
    expect(await refusal(poll(device.device_code))).toBe("expired_token");
  });

  it("with anything but a device code is refused", async () => {
    expect(await refusal(poll("nonsense"))).toBe("invalid_grant");
    const answer = await postForm(`${server.url}/oauth/token`, {
      grant_type: GRANT,
      client_id: app.registered.client.clientId,
    });
    expect(await answer.json()).toMatchObject({ error: "invalid_request" });
  });

  it("is what openid-client does by itself", async () => {
    const device = await begin();
    await approve(device);
    const tokens = await client.pollDeviceAuthorizationGrant(app.config, { ...device, interval: 0 });
    expect(tokens.access_token).toBeString();
  });
});

describe("the tokens of a device", () => {
  it("end with the session that allowed it, unless it asked for offline access", async () => {
    const [online, offline] = [await begin(), await begin({ scope: `${SCOPE} offline_access` })];
    await approve(online);
    await approve(offline);
    const [first, second] = [await poll(online.device_code), await poll(offline.device_code)];
    const account = await browser.open("/account");
    await browser.submit(account, "/signout");
    expect(await refusal(client.refreshTokenGrant(app.config, first.refresh_token ?? ""))).toBe(
      "invalid_grant",
    );
    expect(
      (await client.refreshTokenGrant(app.config, second.refresh_token ?? "")).access_token,
    ).toBeString();
  });

  it("are not given any more when that session has ended", async () => {
    const device = await begin();
    await approve(device);
    await browser.submit(await browser.open("/account"), "/signout");
    expect(await refusal(poll(device.device_code))).toBe("invalid_grant");
  });

  it("are bound to the key that the device proves, from its first request on (RFC 9449 §5)", async () => {
    const [key, other] = [await newTestKey(), await newTestKey()];
    const nonce = await fetchNonce(server, key);
    const { clientId } = app.registered.client;
    const send = async (path: string, fields: Record<string, string>, by?: TestKey) => {
      const url = `${server.url}${path}`;
      const proof = by && { dpop: await dpopProof(server, by, { url, nonce }) };
      return (await postForm(url, { client_id: clientId, ...fields }, proof ?? {})).json();
    };
    const device = await send("/oauth/device_authorization", { scope: SCOPE }, key);
    await approve(device);
    const polled = { grant_type: GRANT, device_code: device.device_code };
    expect(await send("/oauth/token", polled)).toMatchObject({ error: "invalid_dpop_proof" });
    server.clock.advance(5);
    expect(await send("/oauth/token", polled, other)).toMatchObject({ error: "invalid_grant" });
    server.clock.advance(5);
    expect(await send("/oauth/token", polled, key)).toMatchObject({ token_type: "DPoP" });
  });

  it("are written into the audit trail, and so is who allowed them", async () => {
    const device = await begin();
    await approve(device);
    await poll(device.device_code);
    const { id } = app.registered.client;
    const events = await server.deps.db
      .select({ type: auditEvents.type, actorId: auditEvents.actorId })
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "device.approved"), eq(auditEvents.targetId, id)));
    expect(events).toEqual([{ type: "device.approved", actorId: ada.id }]);
    const issued = await server.deps.db
      .select({ targetId: auditEvents.targetId })
      .from(auditEvents)
      .where(and(eq(auditEvents.type, "token.issued"), eq(auditEvents.actorId, id)));
    expect(issued).toEqual([{ targetId: ada.id }]);
  });
});

describe("RFC 8628 §6.1: a user code", () => {
  it("may be typed in any case, with or without its dash", async () => {
    const typed = (code: string) => `${server.url}/device?user_code=${encodeURIComponent(code)}`;
    for (const change of [
      (code: string) => code.toLowerCase(),
      (code: string) => code.replace("-", ""),
      (code: string) => code.replace("-", " "),
    ]) {
      const device = await begin();
      expect(await answerDevice(browser, typed(change(device.user_code)))).toBe(200);
      expect((await poll(device.device_code)).access_token).toBeString();
    }
  });
});

describe("RFC 8628 §4: metadata", () => {
  it("names the endpoint and the grant", () => {
    expect(app.config.serverMetadata()).toMatchObject({
      device_authorization_endpoint: `${server.url}/oauth/device_authorization`,
      grant_types_supported: expect.arrayContaining([GRANT]),
    });
  });
});
