/** What tests of the pages' flows share: people of the headless browser, with and without second factors. */
import { expect } from "bun:test";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../support/browser.ts";
import { postJson, type TestServer } from "../support/server.ts";
import { setUpTotp } from "../support/mfa.ts";

export const PASSWORD = "SecureP@ssw0rd!";

export interface PagePerson {
  readonly email: string;
  readonly browser: HttpBrowser;
  signIn(page?: Visit): Promise<Visit>;
}

/** Somebody with an account and a password, not signed in. */
export async function newPagePerson(server: TestServer): Promise<PagePerson> {
  const username = `p${Bun.randomUUIDv7().slice(-12)}`;
  const email = `${username}@example.com`;
  const response = await postJson(`${server.url}/register`, { email, username, password: PASSWORD });
  expect(response.status).toBe(201);
  const browser = createHttpBrowser(server.url);
  return {
    email,
    browser,
    async signIn(page) {
      const form = page ?? (await browser.open("/signin?again=true"));
      return browser.submit(form, "/signin", { identifier: email, password: PASSWORD });
    },
  };
}

/** Somebody with an authenticator app, too. */
export async function newPersonWithTotp(server: TestServer) {
  const person = await newPagePerson(server);
  const login = await postJson(`${server.url}/login`, { identifier: person.email, password: PASSWORD });
  const { access_token: token } = await login.json();
  return { ...person, app: await setUpTotp(server, token) };
}

/** What our script sends: a form, without leaving the page. */
export function sendByScript(
  server: TestServer,
  { browser, page, url }: { browser: HttpBrowser; page: Visit; url: string },
  changes: { csrf?: string; origin?: string } = {},
): Promise<Response> {
  const origin = changes.origin ?? server.url;
  const csrf = changes.csrf ?? page.forms.find(({ fields }) => "csrf" in fields)?.fields["csrf"] ?? "";
  return fetch(server.url + url, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      origin,
      cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
    },
    body: new URLSearchParams({ csrf }).toString(),
  });
}
