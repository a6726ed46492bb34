/** Passkeys on the pages: signing in with one, and signing up with one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../support/browser.ts";
import { newAuthenticator, setUpPasskey } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { newPagePerson, PASSWORD, sendByScript } from "./support.ts";

let server: TestServer;
let browser: HttpBrowser;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.clock.advance(60);
  browser = createHttpBrowser(server.url);
});

/** Somebody with a passkey beside their password. */
async function personWithPasskey() {
  const person = await newPagePerson(server);
  const login = await postJson(`${server.url}/login`, { identifier: person.email, password: PASSWORD });
  const { access_token: token } = await login.json();
  const authenticator = newAuthenticator(server);
  await setUpPasskey(server, token, authenticator);
  return { ...person, authenticator };
}

const signInOptions = async (page: Visit) =>
  (await sendByScript(server, { browser, page, url: "/signin/passkey/options" })).json();

describe("signing in with a passkey", () => {
  it("needs no name, and no second factor when it verified its user", async () => {
    const { authenticator, email } = await personWithPasskey();
    const page = await browser.open("/signin");
    const credential = JSON.stringify(authenticator.get(await signInOptions(page)));
    const done = await browser.submit(page, "/signin/passkey", { credential });
    expect(done.url.pathname).toBe("/account");
    expect(done.html).toContain(email);
  });

  it("asks for no particular passkey, so that it tells of none", async () => {
    const page = await browser.open("/signin");
    const options = await signInOptions(page);
    expect(options.allowCredentials ?? []).toEqual([]);
    expect(options.challenge).not.toBe((await signInOptions(page)).challenge);
  });

  it.each(["", "{", "null", "{}", '{"id":1}', "x".repeat(100_000)])(
    "takes nothing that is no passkey's answer (%.8s)",
    async (credential) => {
      const page = await browser.open("/signin");
      const refused = await browser.submit(page, "/signin/passkey", { credential });
      expect(refused.status).toBe(400);
      expect(refused.html).toContain("This passkey was not accepted.");
      expect(browser.cookies.has("__Host-gw_session")).toBe(false);
    },
  );

  it("takes an answer once, and none of another origin", async () => {
    const { authenticator } = await personWithPasskey();
    const page = await browser.open("/signin");
    const answer = authenticator.get(await signInOptions(page));
    const credential = JSON.stringify(answer);
    await browser.submit(page, "/signin/passkey", { credential });
    const replay = createHttpBrowser(server.url);
    const again = await replay.submit(await replay.open("/signin"), "/signin/passkey", { credential });
    expect(again.html).toContain("This passkey was not accepted.");
    const phished = authenticator.get(await signInOptions(page), { origin: "https://evil.example" });
    const other = createHttpBrowser(server.url);
    const refused = await other.submit(await other.open("/signin"), "/signin/passkey", {
      credential: JSON.stringify(phished),
    });
    expect(refused.html).toContain("This passkey was not accepted.");
  });

  it("keeps people signed in who ask for it", async () => {
    const { authenticator } = await personWithPasskey();
    const page = await browser.open("/signin");
    const credential = JSON.stringify(authenticator.get(await signInOptions(page)));
    const { csrf = "" } = page.forms[0]?.fields ?? {};
    const response = await fetch(`${server.url}/signin/passkey`, {
      method: "POST",
      redirect: "manual",
      headers: {
        origin: server.url,
        "content-type": "application/x-www-form-urlencoded",
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      },
      body: new URLSearchParams({ csrf, credential, remember_me: "true" }).toString(),
    });
    const session = response.headers.getSetCookie().find((one) => one.startsWith("__Host-gw_session="));
    expect(session).toContain(`Max-Age=${30 * 86_400}`);
  });
});

describe("signing up with a passkey", () => {
  const details = () => {
    const username = `n${Bun.randomUUIDv7().slice(-12)}`;
    return { username, email: `${username}@example.com`, given_name: "Nina", family_name: "" };
  };

  it("makes an account with it, which then signs in", async () => {
    const authenticator = newAuthenticator(server);
    const fields = details();
    const create = await browser.submit(await browser.open("/signup/passkey"), "/signup/passkey", fields);
    const options = await optionsFor(create, fields);
    expect(options.authenticatorSelection).toMatchObject({
      residentKey: "required",
      userVerification: "required",
    });
    const done = await browser.submit(create, "/signup/passkey/create", {
      credential: JSON.stringify(authenticator.create(options)),
    });
    expect(done.html).toContain("Check your mail");
    const page = await browser.open("/signin");
    const credential = JSON.stringify(authenticator.get(await signInOptions(page)));
    const account = await browser.submit(page, "/signin/passkey", { credential });
    expect(account.html).toContain(fields.email);
  });

  it("says what is wrong with what was typed", async () => {
    const page = await browser.open("/signup/passkey");
    const refused = await browser.submit(page, "/signup/passkey", { ...details(), username: "a b" });
    expect(refused.status).toBe(400);
    expect(refused.forms.map(({ action }) => action)).toEqual(["/signup/passkey"]);
    const { email } = await newPagePerson(server);
    const taken = { ...details(), username: email.split("@")[0] ?? "" };
    expect((await browser.submit(page, "/signup/passkey", taken)).html).toContain("This username is taken.");
  });

  it("looks the same for an address that has an account", async () => {
    const { email } = await newPagePerson(server);
    const fields = { ...details(), email };
    const create = await browser.submit(await browser.open("/signup/passkey"), "/signup/passkey", fields);
    const authenticator = newAuthenticator(server);
    const credential = JSON.stringify(authenticator.create(await optionsFor(create, fields)));
    const done = await browser.submit(create, "/signup/passkey/create", { credential });
    expect(done.html).toContain("Check your mail");
    const page = await browser.open("/signin");
    const answer = JSON.stringify(authenticator.get(await signInOptions(page)));
    const refused = await browser.submit(page, "/signin/passkey", { credential: answer });
    expect(refused.html).toContain("This passkey was not accepted.");
  });

  it("is closed where nobody registers themselves, or nobody has passkeys", async () => {
    await server.configure({ mfa_methods: ["totp"] });
    expect((await browser.open("/signup/passkey")).status).toBe(403);
    expect((await browser.open("/signup")).html).not.toContain("/signup/passkey");
    await server.configure({ mfa_methods: ["webauthn"], self_registration_enabled: false });
    expect((await browser.open("/signup/passkey")).status).toBe(403);
    await server.configure({ mfa_methods: ["webauthn", "totp"], self_registration_enabled: true });
  });

  async function optionsFor(page: Visit, fields: Record<string, string>) {
    const { csrf = "" } = page.forms[0]?.fields ?? {};
    const response = await fetch(`${server.url}/signup/passkey/options`, {
      method: "POST",
      headers: {
        origin: server.url,
        "content-type": "application/x-www-form-urlencoded",
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      },
      body: new URLSearchParams({ csrf, ...fields }).toString(),
    });
    expect(response.status).toBe(200);
    return response.json();
  }
});
