/** Attacks on the device flow's token side (RFC 8628 §5). The page's are in its own file. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { deviceAuthorizations, tokenFamilies } from "../../src/db/schema/index.ts";
import { configureClient } from "../support/client-row.ts";
import { approveDevice, denyDevice, findDeviceAuthorization } from "../../src/domain/device/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findSessionByCookie } from "../../src/domain/sessions/service.ts";
import { createHttpBrowser, type HttpBrowser } from "../support/browser.ts";
import { answerDevice } from "../support/devices.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  createApp,
  createOtherTenant,
  errorOf,
  PASSWORD,
  type Person,
  register,
  setEnabled,
  tokenRequest,
  tokensOf,
} from "./support.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

interface Device {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
}

let server: TestServer;
let tv: App;
let person: Person;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  tv = await createApp(server, { public: true, grantTypes: [GRANT, "refresh_token"] });
  person = await register(server.url);
  browser = createHttpBrowser(server.url);
  const page = await browser.open("/signin");
  await browser.submit(page, "/signin", { identifier: person.username, password: PASSWORD });
});

async function begin(by = tv): Promise<Device> {
  const fields = { client_id: by.client.clientId, scope: "openid" };
  return (await (await postForm(`${by.base}/oauth/device_authorization`, fields)).json()) as Device;
}

async function approved(): Promise<Device> {
  const device = await begin();
  await answerDevice(browser, device.verification_uri_complete);
  return device;
}

const poll = (deviceCode: string, by = tv) =>
  tokenRequest(by, { grant_type: GRANT, device_code: deviceCode });

const refused: [number, string] = [400, "invalid_grant"];

describe("a stolen device code", () => {
  /** RFC 8628 §3.4. Guard: domain/device/repo.ts, poll (client_id). */
  it("is worth nothing to another client, which cannot slow its own down either", async () => {
    const thief = await createApp(server, { public: true, grantTypes: [GRANT] });
    const { device_code } = await approved();
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await errorOf(poll(device_code, thief))).toEqual(refused);
    expect((await poll(device_code)).status).toBe(200);
  });

  /** Guard: device/repo.ts, poll (tenant_id). */
  it("is worth nothing in another tenant", async () => {
    const other = await createOtherTenant(server, `tv-${Date.now()}`);
    const twin = await createApp(server, { public: true, grantTypes: [GRANT] }, other);
    await configureClient(server, twin, { clientId: tv.client.clientId });
    const there = { ...twin, client: { ...twin.client, clientId: tv.client.clientId } };
    const { device_code } = await approved();
    expect(await errorOf(poll(device_code, there))).toEqual(refused);
    expect((await poll(device_code)).status).toBe(200);
  });
});

describe("a device code that somebody guesses", () => {
  /** RFC 8628 §5.2. Guard: device/repo.ts, poll (hash): the id in it is no secret. */
  it("from its id is refused", async () => {
    const { device_code } = await approved();
    for (const guess of [device_code.slice(0, -43) + "A".repeat(43), device_code.slice(0, -44), "dev_"])
      expect(await errorOf(poll(guess))).toEqual(refused);
    expect((await poll(device_code)).status).toBe(200);
  });

  /** Guard: the user code is another thing than the device code. */
  it("from the user code is refused", async () => {
    const { user_code } = await approved();
    expect(await errorOf(poll(user_code))).toEqual(refused);
  });
});

describe("a device code that is used twice", () => {
  /** Guard: device/repo.ts, consume (one statement). */
  it("by 20 polls at once gives tokens to one at most, and one family is all there is", async () => {
    const { device_code } = await approved();
    // Otherwise those that come second are told to slow down, which would hide what is tested here.
    await server.deps.db
      .update(deviceAuthorizations)
      .set({ intervalSeconds: 0 })
      .where(eq(deviceAuthorizations.clientId, tv.client.id));
    const answers = await Promise.all(Array.from({ length: 20 }, () => poll(device_code)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const families = await server.deps.db
      .select({ id: tokenFamilies.id })
      .from(tokenFamilies)
      .where(eq(tokenFamilies.clientId, tv.client.id));
    expect(families).toHaveLength(1);
  });

  /** Guard: decideDeviceCode (consumedAt). */
  it("later is refused, and the tokens of the first time live on", async () => {
    const { device_code } = await approved();
    const { refresh_token } = await tokensOf(poll(device_code));
    server.clock.advance(10);
    expect(await errorOf(poll(device_code))).toEqual(refused);
    expect((await tokenRequest(tv, { grant_type: "refresh_token", refresh_token })).status).toBe(200);
  });
});

describe("an answer that is no answer", () => {
  /** Both were shown the page before either answered. Guard: device/repo.ts, answer (status is pending). */
  it("comes second: of two that race, the first one's stands", async () => {
    const device = await begin();
    const [cookie = ""] = [...browser.cookies].flatMap(([name, value]) =>
      name.includes("session") ? [value] : [],
    );
    const session = await findSessionByCookie(server.deps, server.tenant.id, cookie);
    const pending = await findDeviceAuthorization(server.deps, server.tenant, device.user_code);
    if (!session || !pending) throw new Error("nobody is there to answer");
    const answer = { tenant: server.tenant, device: pending, session, context: systemContext };
    expect(await denyDevice(server.deps, answer)).toBe(true);
    expect(await approveDevice(server.deps, answer)).toBe(false);
    expect(await errorOf(poll(device.device_code))).toEqual([400, "access_denied"]);
  });

  /** Guard: device/repo.ts, findPending, and behind it answer (status is pending): either alone holds. */
  it("comes second: a code that was denied is not approved afterwards", async () => {
    const device = await begin();
    const page = await browser.open(device.verification_uri_complete);
    const shown = await browser.submit(page, "/device");
    const deny = browser.submit(shown, "/device/decision", { decision: "deny" });
    expect((await deny).status).toBe(200);
    await browser.submit(shown, "/device/decision", { decision: "allow" });
    expect(await errorOf(poll(device.device_code))).toEqual([400, "access_denied"]);
  });

  /** Guard: findApproval (user.enabled). */
  it("is of somebody who was disabled since", async () => {
    const { device_code } = await approved();
    await setEnabled(server, person, false);
    expect(await errorOf(poll(device_code))).toEqual(refused);
  });

  /** Guard: device/repo.ts, findPending and answer (expires_at). */
  it("comes too late", async () => {
    const device = await begin();
    server.clock.advance(600);
    await answerDevice(browser, device.verification_uri_complete).catch(() => 0);
    const [row] = await server.deps.db
      .select({ status: deviceAuthorizations.status })
      .from(deviceAuthorizations)
      .where(eq(deviceAuthorizations.clientId, tv.client.id));
    expect(row).toEqual({ status: "pending" });
    expect(await errorOf(poll(device.device_code))).toEqual([400, "expired_token"]);
  });
});

describe("a device that asks all the time", () => {
  /** RFC 8628 §3.5, §5.2. Guard: device/repo.ts, poll (tooEarly). */
  it("by 20 polls at once gets slow_down for all but one", async () => {
    const { device_code } = await begin();
    const answers = await Promise.all(Array.from({ length: 20 }, () => poll(device_code)));
    const errors = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as { error: string }).error),
    );
    expect(errors.filter((error) => error === "authorization_pending")).toHaveLength(1);
    expect(errors.filter((error) => error === "slow_down")).toHaveLength(19);
  });
});
