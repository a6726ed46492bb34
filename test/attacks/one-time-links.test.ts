/** Attacks on mailed links: verification of an address and reset of a password (OWASP Forgot Password). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { readMailbox, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  login,
  obtainCode,
  type OtherTenant,
  type Person,
  readForm,
  refresh,
  register,
  signedIn,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let app: App;
let other: OtherTenant;
let person: Person;

beforeAll(async () => {
  server = await startTestServer();
  await server.startWorker();
  app = await createApp(server);
  other = await createOtherTenant(server, "link-thief");
});
afterAll(() => server.stop());
beforeEach(async () => {
  person = await register(server.url);
});

const NEW_PASSWORD = "An0ther-Secret!";
const invalid: [number, string] = [400, "invalid_token"];
const json = { accept: "application/json" };

/** The newest token of this kind that was mailed to the person. */
async function mailedToken(kind: "verify-email" | "reset-password", except: string[] = []): Promise<string> {
  const link = new RegExp(`${server.url}/${kind}\\?token=(\\S+)`);
  const tokenIn = (text: string) => link.exec(text)?.[1];
  const mail = await waitForMail(server, person.email, ({ text }) => {
    const token = tokenIn(text);
    return token !== undefined && !except.includes(token);
  });
  return tokenIn(mail.text) ?? "";
}
async function askForReset(headers: Record<string, string> = {}, except: string[] = []): Promise<string> {
  await postJson(`${server.url}/forgot-password`, { email: person.email }, headers);
  return mailedToken("reset-password", except);
}
const verify = (token: string, base = server.url) =>
  fetch(`${base}/verify-email?${new URLSearchParams({ token })}`, { headers: json });
const reset = (token: string, base = server.url, new_password = NEW_PASSWORD) =>
  postJson(`${base}/reset-password`, { token, new_password });

describe("a link that is used twice", () => {
  /** Guard: domain/challenges/repo.ts, markConsumed. */
  it("works once", async () => {
    const token = await mailedToken("verify-email");
    expect((await verify(token)).status).toBe(200);
    expect(await errorOf(verify(token))).toEqual(invalid);
    const resetToken = await askForReset();
    expect((await reset(resetToken)).status).toBe(200);
    expect(await errorOf(reset(resetToken, server.url, "Yet-an0ther-0ne!"))).toEqual(invalid);
    await login(server.url, person.username, NEW_PASSWORD);
  });

  /** CWE-367. Guard: markConsumed (one atomic statement). */
  it("by 20 requests at once works once", async () => {
    const token = await mailedToken("verify-email");
    const verified = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect(verified.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(19).fill(400)]);
    const resetToken = await askForReset();
    const resets = await Promise.all(
      Array.from({ length: 20 }, (_, index) => reset(resetToken, server.url, `Pa55-of-number-${index}!`)),
    );
    expect(resets.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(19).fill(400)]);
    const winner = resets.findIndex(({ status }) => status === 200);
    await login(server.url, person.username, `Pa55-of-number-${winner}!`);
  });

  /** Guard: domain/challenges/service.ts, consumeChallenge (all of the same kind end). */
  it("takes the older links with it", async () => {
    const first = await askForReset();
    const second = await askForReset({}, [first]);
    expect((await reset(second)).status).toBe(200);
    expect(await errorOf(reset(first))).toEqual(invalid);
  });
});

describe("a link out of place", () => {
  /** Guard: domain/challenges/repo.ts, findOpen (expiresAt). */
  it("does not work when it is too old", async () => {
    const [token, resetToken] = [await mailedToken("verify-email"), await askForReset()];
    server.clock.advance(3600);
    expect(await errorOf(reset(resetToken))).toEqual(invalid);
    server.clock.advance(23 * 3600);
    expect(await errorOf(verify(token))).toEqual(invalid);
  });

  /** Guard: findOpen (kind). */
  it("does not work as one of another kind", async () => {
    const [token, resetToken] = [await mailedToken("verify-email"), await askForReset()];
    expect(await errorOf(reset(token))).toEqual(invalid);
    expect(await errorOf(verify(resetToken))).toEqual(invalid);
    expect([(await verify(token)).status, (await reset(resetToken)).status]).toEqual([200, 200]);
  });

  /** Guard: findOpen (tenant). */
  it("does not work in another tenant", async () => {
    const [token, resetToken] = [await mailedToken("verify-email"), await askForReset()];
    expect(await errorOf(verify(token, other.base))).toEqual(invalid);
    expect(await errorOf(reset(resetToken, other.base))).toEqual(invalid);
    expect([(await verify(token)).status, (await reset(resetToken)).status]).toEqual([200, 200]);
  });

  /** Guard: lib/secret-token.ts, parseSecretToken and matchesHash. */
  it("does not work with another id or secret", async () => {
    const token = await askForReset();
    const [id, secret] = [token.slice(0, -44), token.slice(-43)];
    const own = person;
    person = await register(server.url);
    const stranger = await askForReset();
    person = own;
    const forged = [
      `${id}_${"A".repeat(43)}`,
      `${stranger.slice(0, -44)}_${secret}`,
      `${id.toLowerCase()}_${secret}`,
      `${id}_${secret} `,
      `${id}_${secret}=`,
      id,
      secret,
      `${id}_`,
    ];
    for (const attempt of forged) expect(await errorOf(reset(attempt))).toEqual(invalid);
    expect((await reset(token)).status).toBe(200);
  });

  /** Guard: domain/accounts/password-reset.ts, requireGoodPassword before the link is consumed. */
  it("is not lost to a weak password", async () => {
    const token = await askForReset();
    expect((await reset(token, server.url, "short")).status).toBe(422);
    expect((await reset(token)).status).toBe(200);
  });
});

describe("a scanner of mail that opens every link", () => {
  /** Guard: web/sign-in/recovery.routes.ts: a browser's GET shows a button, and only the form consumes. */
  it("consumes nothing, as a browser", async () => {
    const [token, resetToken] = [await mailedToken("verify-email"), await askForReset()];
    for (const path of [`/verify-email?token=${token}`, `/reset-password?token=${resetToken}`]) {
      for (let time = 0; time < 3; time++) expect((await new Browser(server.url).get(path)).status).toBe(200);
    }
    const browser = new Browser(server.url);
    const page = await (await browser.get(`/verify-email?token=${token}`)).text();
    const { action, fields } = readForm(page);
    expect((await browser.post(action, fields)).headers.get("location")).toBe(
      "/signin?notice=email_verified",
    );
    expect((await reset(resetToken)).status).toBe(200);
  });

  /** RFC 9110 §9.3.2: HEAD is safe. Guard: the routes. */
  it("consumes nothing by HEAD or OPTIONS, whatever it accepts", async () => {
    const token = await mailedToken("verify-email");
    for (const method of ["HEAD", "OPTIONS"]) {
      for (const accept of ["*/*", "text/html", "application/json"]) {
        await fetch(`${server.url}/verify-email?token=${token}`, { method, headers: { accept } });
      }
    }
    expect((await verify(token)).status).toBe(200);
  });

  /** CWE-598: the token in the address must not leave by the Referer. Guard: web/security-headers.ts. */
  it("and others see no token by the Referer", async () => {
    const token = await askForReset();
    const { headers } = await new Browser(server.url).get(`/reset-password?token=${token}`);
    expect(headers.get("referrer-policy")).toBe("same-origin");
  });
});

describe("a poisoned Host header", () => {
  /** CWE-640, PortSwigger "Password reset poisoning". Guard: links are built from issuerOf(tenant, PUBLIC_URL). */
  it.each<Record<string, string>>([
    { host: "evil.example" },
    { host: "evil.example:443", "x-forwarded-host": "evil.example" },
    { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-forwarded-port": "443" },
    { forwarded: "for=1.2.3.4;host=evil.example;proto=https", "x-host": "evil.example" },
    {
      "x-original-url": "https://evil.example/",
      "x-rewrite-url": "https://evil.example/",
      origin: "https://evil.example",
    },
  ])("leaves the mailed link ours: %p", async (headers) => {
    const token = await askForReset(headers);
    expect((await reset(token)).status).toBe(200);
    const mails = (await readMailbox(server)).filter(({ to }) => to === person.email);
    expect(JSON.stringify(mails)).not.toContain("evil.example");
  });

  /** The same, for what discovery and tokens say. Guard: issuerOf. */
  it("leaves the issuer, and every endpoint, ours", async () => {
    const path = `${server.url}/.well-known/openid-configuration`;
    const poisoned = await fetch(path, {
      headers: { host: "evil.example", "x-forwarded-host": "evil.example" },
    });
    expect(await poisoned.text()).toBe(await (await fetch(path)).text());
  });
});

describe("a password reset", () => {
  /** OWASP Forgot Password. Guard: domain/accounts/password-reset.ts, resetPassword (endAllSessions). */
  it("ends every session and token of before, offline ones too", async () => {
    const { person: owner, browser } = await signedIn(server.url);
    person = owner;
    const native = await login(server.url, owner.username);
    const scope = "openid offline_access";
    const offline = await tokensOf(exchangeCode(app, await obtainCode(browser, app, { scope })));
    expect((await reset(await askForReset())).status).toBe(200);
    expect((await browser.get("/account")).headers.get("location")).toBe("/signin");
    expect((await whereItWorks(server.url, native.access_token)).me).toBe(401);
    expect(await whereItWorks(server.url, offline.access_token)).toEqual({ me: 401, userinfo: 401 });
    expect((await refresh(app, offline.refresh_token)).status).toBe(400);
    const again = await postJson(`${server.url}/token/refresh`, { refresh_token: native.refresh_token });
    expect(again.status).toBe(401);
    await login(server.url, owner.username, NEW_PASSWORD);
  });
});
