/** What the attacks share: a browser that keeps cookies, an application that asks for codes, and raw HTTP. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { eq } from "drizzle-orm";
import { users } from "../../src/db/schema/index.ts";
import { type Client, createClient, type NewClient } from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { createTenant, type Tenant } from "../../src/domain/tenants/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { s256Challenge } from "../../src/protocol/oauth/pkce.ts";
import { postForm, postJson, type TestServer } from "../support/server.ts";

export const PASSWORD = "SecureP@ssw0rd!";
export const REDIRECT_URI = "https://app.example/callback";

/** One browser: its cookies, and forms filled in as a person would. Redirects are answers here, not followed. */
export class Browser {
  readonly cookies = new Map<string, string>();

  /** @param base the tenant's address: the server's, or `…/t/{slug}` */
  constructor(readonly base: string) {}

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(this.resolve(path), {
      redirect: "manual",
      headers: { accept: "text/html", cookie: this.cookieHeader, ...headers },
    });
    return this.keep(response);
  }

  async post(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.keep(
      await postForm(this.resolve(path), fields, {
        accept: "text/html",
        cookie: this.cookieHeader,
        origin: new URL(this.base).origin,
        ...headers,
      }),
    );
  }

  /** Opens a page and posts its first form with these fields filled in. */
  async submit(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const form = readForm(await (await this.get(path)).text());
    return this.post(form.action, { ...form.fields, ...fields }, headers);
  }

  async signIn(identifier: string, path = "/signin", password = PASSWORD): Promise<Response> {
    return this.submit(path, { identifier, password });
  }

  async signOut(): Promise<Response> {
    const form = readForm(await (await this.get("/account")).text(), "/signout");
    return this.post(form.action, form.fields);
  }

  private resolve(path: string): string {
    if (/^https?:/.test(path)) return path;
    const { origin, pathname } = new URL(this.base);
    return path.startsWith(pathname === "/" ? "//" : `${pathname}/`)
      ? origin + path
      : this.base.replace(/\/$/, "") + path;
  }

  private keep(response: Response): Response {
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }
}

/** A form of a page, the first or the one that goes to `to`: its address and the hidden fields it carries. */
export function readForm(html: string, to = ""): { action: string; fields: Record<string, string> } {
  for (const [form, action = ""] of html.matchAll(/<form[^>]* action="([^"]*)"[\s\S]*?<\/form>/g)) {
    if (!action.endsWith(to)) continue;
    const fields: Record<string, string> = {};
    for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input)?.[1];
      if (name) fields[name] = unescape(/value="([^"]*)"/.exec(input)?.[1] ?? "");
    }
    return { action: unescape(action), fields };
  }
  throw new Error(`the page holds no form ${to}`);
}

const unescape = (text: string) =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");

export interface App {
  readonly base: string;
  readonly client: Client;
  readonly secret: string | undefined;
  readonly redirectUri: string;
}

/** An application of a tenant (the default one without `of`). */
export async function createApp(
  server: Pick<TestServer, "deps" | "tenant" | "url">,
  input: Partial<NewClient> = {},
  of: { tenant: Tenant; base: string } = { tenant: server.tenant, base: server.url },
): Promise<App> {
  const redirectUris = input.redirectUris ?? [REDIRECT_URI];
  const { client, clientSecret } = await createClient(
    server.deps,
    of.tenant.id,
    { name: "App", grantTypes: [], public: false, firstParty: true, ...input, redirectUris },
    { actor: { type: "system" }, context: systemContext },
  );
  return { base: of.base, client, secret: clientSecret, redirectUri: redirectUris[0] ?? REDIRECT_URI };
}

export interface OtherTenant {
  readonly tenant: Tenant;
  readonly base: string;
}

export async function createOtherTenant(server: TestServer, slug: string): Promise<OtherTenant> {
  const tenant = await createTenant(server.deps, { slug, name: slug });
  return { tenant, base: `${server.url}/t/${slug}` };
}

export const newVerifier = () => randomBytes(32).toString("base64url");

/** The parameters of a sound authorization request. `undefined` takes one out. */
export function authorizationParameters(
  app: App,
  changes: Record<string, string | undefined> = {},
): URLSearchParams {
  const parameters: Record<string, string | undefined> = {
    client_id: app.client.clientId,
    redirect_uri: app.redirectUri,
    response_type: "code",
    scope: "openid profile email",
    state: "state-1",
    nonce: "nonce-1",
    code_challenge: s256Challenge(newVerifier()),
    code_challenge_method: "S256",
    ...changes,
  };
  return new URLSearchParams(
    Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A code for the person who is signed in to this browser. */
export async function obtainCode(
  browser: Browser,
  app: App,
  changes: Record<string, string> = {},
): Promise<{ code: string; verifier: string }> {
  const verifier = newVerifier();
  const parameters = authorizationParameters(app, { code_challenge: s256Challenge(verifier), ...changes });
  const response = await browser.get(`/oauth/authorize?${parameters}`);
  const code = new URL(response.headers.get("location") ?? "about:blank").searchParams.get("code");
  if (!code) throw new Error(`no code: ${response.status} ${response.headers.get("location")}`);
  return { code, verifier };
}

export function basicAuthorization(app: App): Record<string, string> {
  return app.secret === undefined
    ? {}
    : { authorization: `Basic ${Buffer.from(`${app.client.clientId}:${app.secret}`).toString("base64")}` };
}

/** A token request by this application. */
export function tokenRequest(app: App, fields: Record<string, string>): Promise<Response> {
  const identified = app.secret === undefined ? { client_id: app.client.clientId, ...fields } : fields;
  return postForm(`${app.base}/oauth/token`, identified, basicAuthorization(app));
}

export function exchangeCode(
  app: App,
  { code, verifier }: { code: string; verifier: string },
  changes: Record<string, string> = {},
): Promise<Response> {
  return tokenRequest(app, {
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    redirect_uri: app.redirectUri,
    ...changes,
  });
}

export const refresh = (app: App, refreshToken: string, changes: Record<string, string> = {}) =>
  tokenRequest(app, { grant_type: "refresh_token", refresh_token: refreshToken, ...changes });

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
  scope: string;
}

export async function tokensOf(response: Response | Promise<Response>): Promise<Tokens> {
  const answer = await response;
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

export async function errorOf(response: Response | Promise<Response>): Promise<[number, string]> {
  const answer = await response;
  const { error } = (await answer.json()) as { error: string };
  return [answer.status, error];
}

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly email: string;
}

let people = 0;

/** Somebody who registered, by the API. */
export async function register(base: string, changes: Record<string, unknown> = {}): Promise<Person> {
  const username = `person${++people}`;
  const response = await postJson(`${base}/register`, {
    username,
    email: `${username}@example.com`,
    password: PASSWORD,
    ...changes,
  });
  if (response.status !== 201) throw new Error(`not registered: ${response.status} ${await response.text()}`);
  return (await response.json()) as Person;
}

export async function login(base: string, identifier: string, password = PASSWORD): Promise<Tokens> {
  return tokensOf(postJson(`${base}/login`, { identifier, password }));
}

/** Somebody who is registered and signed in to a browser of their own. */
export async function signedIn(base: string): Promise<{ person: Person; browser: Browser }> {
  const person = await register(base);
  const browser = new Browser(base);
  await browser.signIn(person.username);
  return { person, browser };
}

export async function setEnabled(server: TestServer, person: Person, enabled: boolean): Promise<void> {
  if (!isId("user", person.id)) throw new Error("not a user's id");
  await server.deps.db.update(users).set({ enabled }).where(eq(users.id, person.id));
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The status of each place where an access token of a user is good for something. */
export async function whereItWorks(
  base: string,
  accessToken: string,
): Promise<{ me: number; userinfo: number }> {
  const [me, userinfo] = await Promise.all(
    ["/me", "/oauth/userinfo"].map((path) => fetch(base + path, { headers: bearer(accessToken) })),
  );
  return { me: me?.status ?? 0, userinfo: userinfo?.status ?? 0 };
}

/** Sends bytes as they are, since `fetch` would repair what an attacker breaks. The server closes the connection. */
export function rawRequest(server: TestServer, head: string | Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Uint8Array[] = [];
  const socket = connect({ host: "localhost", port: Number(new URL(server.url).port) }, () =>
    socket.write(head),
  );
  socket.setTimeout(5000, () => socket.destroy(new Error("no answer within 5 s")));
  socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
  socket.on("error", reject);
  socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  return promise;
}

/** A raw GET of this target, exactly as written. */
export function rawGet(server: TestServer, target: string, headers: readonly string[] = []): Promise<string> {
  const { host } = new URL(server.url);
  const named = headers.some((header) => /^host:/i.test(header)) ? headers : [`Host: ${host}`, ...headers];
  return rawRequest(server, [`GET ${target} HTTP/1.1`, ...named, "Connection: close", "", ""].join("\r\n"));
}
