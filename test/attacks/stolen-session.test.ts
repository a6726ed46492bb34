/** Who stole a session, and knows the password, but has not the second factor (OWASP ASVS 2.2.4, 3.7.1). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { bearer, setUpTotp, totpCode } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { Browser, errorOf, login, PASSWORD, register } from "./support.ts";

const NEW_PASSWORD = "Attacker's-P@ssw0rd-1";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const change = (token: string) =>
  postJson(
    `${server.url}/me/password`,
    { current_password: PASSWORD, new_password: NEW_PASSWORD },
    bearer(token),
  );

describe("a session from before its user set up a second factor", () => {
  /** Guard: api/native/me-account.ts, needToChangePassword. */
  it("changes no password without it, and does with it", async () => {
    const person = await register(server.url);
    const { access_token: stolen } = await login(server.url, person.username);
    const { access_token: owners } = await login(server.url, person.username);
    const app = await setUpTotp(server, owners);
    expect(await errorOf(change(stolen))).toEqual([401, "insufficient_user_authentication"]);
    const code = totpCode(server, app.secret);
    expect((await postJson(`${server.url}/mfa/step-up`, { code }, bearer(stolen))).status).toBe(200);
    expect((await change(stolen)).status).toBe(200);
  });

  /** Guard: web/account/security-account.routes.ts, toStepUp, of the page and of its form. */
  it("changes none on the page either", async () => {
    const person = await register(server.url);
    const [early, stolen] = [new Browser(server.url), new Browser(server.url)];
    await early.signIn(person.username);
    await stolen.signIn(person.username);
    const page = await early.get("/account/security/password");
    const fields = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const form = /name="csrf" value="([^"]*)"/.exec(await page.text())?.[1];
    await setUpTotp(server, (await login(server.url, person.username)).access_token);
    const shown = await stolen.get("/account/security/password");
    expect(shown.headers.get("location")).toContain("/signin/step-up");
    const sent = await early.post("/account/security/password", { csrf: form ?? "", ...fields });
    expect(sent.headers.get("location")).toContain("/signin/step-up");
    const known = await postJson(`${server.url}/login`, { identifier: person.username, password: PASSWORD });
    expect(known.status).toBe(200);
  });
});
