/** Ways around what a tenant asks of passwords (NIST SP 800-63B §5.1.1.2; OWASP ASVS V2.1). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { createHash } from "node:crypto";
import { createAccount } from "../../src/domain/accounts/registration.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findTenantById } from "../../src/domain/tenants/service.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { bearer, login, PASSWORD, type Person, register } from "./support.ts";

const BREACHED = "Br3ached-P@ssword!";
const digest = createHash("sha1").update(BREACHED).digest("hex").toUpperCase();
/** Knows one password, and every range. */
const breaches = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) => new Response(url.endsWith(digest.slice(0, 5)) ? `${digest.slice(5)}:42` : "0:0"),
});

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    env: { BREACHED_PASSWORDS_URL: `http://127.0.0.1:${breaches.port}`, RATE_LIMITING: "off" },
  });
});
afterAll(async () => {
  await server.stop();
  await breaches.stop(true);
});
afterEach(() =>
  server.configure({ password_history: 0, password_min_strength: 0, password_breach_check: false }),
);

let current = PASSWORD;
const next = () => `N3w-P@ssword!${crypto.randomUUID()}`;

async function change(person: Person, to: string, from = current): Promise<number> {
  const { access_token: token } = await login(server.url, person.email, from);
  const body = { current_password: from, new_password: to };
  const { status } = await postJson(`${server.url}/me/password`, body, bearer(token));
  if (status === 200) current = to;
  return status;
}

async function reset(person: Person, to: string, seen: Set<string>): Promise<number> {
  await postJson(`${server.url}/forgot-password`, { email: person.email });
  const link = linkIn(
    await waitForMail(
      server,
      person.email,
      (mail) => mail.text.includes("/reset-password") && !seen.has(linkIn(mail)),
    ),
  );
  seen.add(link);
  const token = new URL(link).searchParams.get("token") ?? "";
  const { status } = await postJson(`${server.url}/reset-password`, { token, new_password: to });
  if (status === 200) current = to;
  return status;
}

describe("the password history", () => {
  /** Guard: passwords/service.ts, wasUsed, in requireGoodPassword with `owner`; setPassword (archivePassword). */
  it("is not got around by changing in circles, by a reset, or by the change before it", async () => {
    await server.configure({ password_history: 3 });
    const person = await register(server.url);
    current = PASSWORD;
    const [second, third] = [next(), next()];
    expect(await change(person, second)).toBe(200);
    expect(await change(person, PASSWORD)).toBe(422);
    expect(await reset(person, PASSWORD, new Set())).toBe(422);
    expect(await change(person, third)).toBe(200);
    for (const former of [PASSWORD, second, third]) expect(await change(person, former)).toBe(422);
    // Three changes later it is not among the last three any more.
    expect(await change(person, next())).toBe(200);
    expect(await change(person, PASSWORD)).toBe(200);
  });

  /** Guard: passwords/service.ts, setPassword (expected): of two changes that were decided on one password, one happens. */
  it("is not got around by changes that race", async () => {
    await server.configure({ password_history: 2 });
    const person = await register(server.url);
    const { access_token: token } = await login(server.url, person.email);
    const attempts = await Promise.all(
      Array.from({ length: 6 }, () => {
        const body = { current_password: PASSWORD, new_password: next(), end_other_sessions: false };
        return postJson(`${server.url}/me/password`, body, bearer(token));
      }),
    );
    const statuses = attempts.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status !== 200 && status !== 409 && status !== 422)).toEqual([]);
  });
});

describe("a password that is known or easy to guess", () => {
  const everywhere = async (password: string) => {
    const person = await register(server.url);
    current = PASSWORD;
    const body = { username: `u${Date.now()}`, email: `${crypto.randomUUID()}@example.com`, password };
    const tenant = await findTenantById(server.deps, server.tenant.id);
    if (!tenant) throw new Error("the tenant is gone");
    const operator = createAccount(
      server.deps,
      tenant,
      { ...body, username: `o${Date.now()}`, email: `o${body.email}`, emailVerified: true, roles: [] },
      systemContext,
    ).then(
      () => 201,
      (error: { status: number }) => error.status,
    );
    return {
      register: (await postJson(`${server.url}/register`, body)).status,
      change: await change(person, password),
      reset: await reset(person, password, new Set()),
      operator: await operator,
    };
  };
  const refused = { register: 422, change: 422, reset: 422, operator: 422 };

  /** Guard: passwords/service.ts, requireGoodPassword (isBreached), called by every flow that sets a password. */
  it("is refused by every flow that sets one: breached", async () => {
    await server.configure({ password_breach_check: true });
    expect(await everywhere(BREACHED)).toEqual(refused);
  });

  /** Guard: passwords/service.ts, requireGoodPassword (passwordStrength). */
  it("is refused by every flow that sets one: guessable", async () => {
    await server.configure({ password_min_strength: 3 });
    expect(await everywhere("P@ssw0rd1")).toEqual(refused);
  });

  /** Guard: accounts/registration.ts, aboutPerson. */
  it("is one made of the person's own name", async () => {
    await server.configure({ password_min_strength: 4 });
    const body = { username: "zephyrine.quillfeather", email: "zephyrine.quillfeather@example.com" };
    const attempt = (password: string) => postJson(`${server.url}/register`, { ...body, password });
    expect((await attempt("Quillfeather1!")).status).toBe(422);
    expect((await attempt("Vq8#Lz!vP2@xW-kk")).status).toBe(201);
  });
});

describe("guessing the current password with a session at hand", () => {
  /** Guard: accounts/password-change.ts, requireCurrentPassword (beginAttempt). */
  it("locks the account like any other guessing", async () => {
    const person = await register(server.url);
    const { access_token: token } = await login(server.url, person.email);
    const attempt = (current_password: string) =>
      postJson(`${server.url}/me/password`, { current_password, new_password: next() }, bearer(token));
    for (let count = 0; count < 5; count++) expect((await attempt("Wr0ng-password!")).status).toBe(422);
    expect((await attempt(PASSWORD)).status).toBe(422);
  });
});
