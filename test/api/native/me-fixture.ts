/** Somebody who is signed in and looks after their account, and mailed links as people use them. */
import { linkIn, type Mail, waitForMail } from "../../support/mailbox.ts";
import { postForm, type TestServer } from "../../support/server.ts";
import { bearer, login, type Person, register } from "../../attacks/support.ts";

export interface SignedIn {
  person: Person;
  call: (method: string, path: string, body?: unknown) => Promise<Response>;
  token: string;
}

export async function someone(server: TestServer): Promise<SignedIn> {
  const person = await register(server.url);
  const { access_token: token } = await login(server.url, person.email);
  return { person, token, call: caller(server, token) };
}

export const caller = (server: TestServer, token: string) => (method: string, path: string, body?: unknown) =>
  fetch(server.url + path, {
    method,
    headers: { ...bearer(token), "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** The same person, whose address is verified. */
export async function verified(server: TestServer): Promise<SignedIn> {
  const one = await someone(server);
  const mail = await waitForMail(server, one.person.email, ({ text }) => text.includes("/verify-email"));
  await fetch(linkIn(mail));
  return one;
}

export const json = async (response: Response | Promise<Response>) =>
  (await (await response).json()) as Record<string, unknown>;

/** Opens a mailed link as a person does: the page, then its button. */
export async function press(server: TestServer, link: string): Promise<Response> {
  const page = await fetch(link, { headers: { accept: "text/html" } });
  const html = await page.text();
  if (page.status !== 200) throw new Error(`the link opens no page: ${page.status}`);
  const cookie = page.headers
    .getSetCookie()
    .map((one) => one.split(";", 1)[0])
    .join("; ");
  const [, action = ""] = /action="([^"]*)"/.exec(html) ?? [];
  const [, csrf = ""] = /name="csrf" value="([^"]*)"/.exec(html) ?? [];
  const [, token = ""] = /name="token" value="([^"]*)"/.exec(html) ?? [];
  return postForm(server.url + action, { csrf, token }, { cookie, accept: "text/html", origin: server.url });
}

export const linkOf =
  (path: string) =>
  ({ text }: Mail) =>
    text.includes(path);
