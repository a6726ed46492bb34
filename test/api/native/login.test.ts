import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { users } from "../../../src/db/schema/index.ts";
import { readMailbox, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { claimsOf, errorOf, me, type Person, refresh, registerPerson, signIn } from "./account-fixture.ts";

let server: TestServer;
let jane: Person;
beforeAll(async () => {
  server = await startTestServer();
  jane = await registerPerson(server, { given_name: "Jane", family_name: "Doe" });
});
afterAll(() => server.stop());

const login = (body: unknown) => postJson(`${server.url}/login`, body);

describe("POST /login", () => {
  it("answers tokens and the user, not to be kept by caches", async () => {
    const response = await login({ identifier: jane.email, password: jane.password });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("pragma")).toBe("no-cache");
    expect(response.headers.get("set-cookie")).toBeNull();
    const { user, ...tokens } = await response.json();
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh_token: expect.stringMatching(/^rt_[0-9A-Z]{26}_[\w-]{43}$/),
      token_type: "Bearer",
      expires_in: 900,
    });
    expect(user).toMatchObject({ username: jane.username, email: jane.email, given_name: "Jane", roles: [] });
    expect(JSON.stringify(user)).not.toContain("argon2");
  });

  it.each([
    ["the username", () => jane.username],
    ["the username in capitals", () => jane.username.toUpperCase()],
    ["the address in capitals", () => jane.email.toUpperCase()],
  ])("takes %s", async (_name, identifier) => {
    expect((await login({ identifier: identifier(), password: jane.password })).status).toBe(200);
  });

  it("answers a wrong password, an unknown user and a disabled one alike", async () => {
    const disabled = await registerPerson(server);
    await server.deps.db.update(users).set({ enabled: false }).where(eq(users.username, disabled.username));
    const attempts = [
      { identifier: jane.email, password: "wrong" },
      { identifier: "nobody@example.com", password: jane.password },
      { identifier: "nobody", password: "x" },
      { identifier: disabled.email, password: disabled.password },
      { identifier: jane.email, password: `${jane.password} ` },
      { identifier: jane.email, password: jane.password.toLowerCase() },
      { identifier: "' or 1=1 --", password: "' or 1=1 --" },
      { identifier: "%", password: jane.password },
    ];
    for (const attempt of attempts) {
      expect(await errorOf(await login(attempt))).toEqual({
        status: 401,
        error: "unauthorized",
        description: "The credentials are not valid.",
        details: [],
      });
    }
  });

  it("names the fields that are missing", async () => {
    expect((await errorOf(await login({}))).details).toEqual([
      { field: "identifier", message: "Is required." },
      { field: "password", message: "Is required." },
    ]);
    expect((await errorOf(await login({ identifier: 1, password: ["x"] }))).details).toEqual([
      { field: "identifier", message: "Must be a string." },
      { field: "password", message: "Must be a string." },
    ]);
  });

  it("tells a user whose address is not verified so where the tenant wants it, and only who knows the password", async () => {
    await server.configure({ email_verification_required: true });
    try {
      expect(await errorOf(await login({ identifier: jane.email, password: jane.password }))).toMatchObject({
        status: 403,
        error: "email_not_verified",
      });
      expect(await errorOf(await login({ identifier: jane.email, password: "wrong" }))).toMatchObject({
        status: 401,
      });
    } finally {
      await server.configure({ email_verification_required: false });
    }
  });

  it("mails a notice of a sign-in on a device that is new, but not of the first one", async () => {
    const person = await registerPerson(server);
    await signIn(server, person);
    const agent = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
    await postJson(`${server.url}/login`, { identifier: person.email, password: person.password }, agent);
    const mail = await waitForMail(server, person.email, ({ subject }) => /sign-in/i.test(subject));
    expect(mail.text).toContain("Firefox");
    const notices = (await readMailbox(server)).filter(
      ({ to, subject }) => to === person.email && /sign-in/i.test(subject),
    );
    expect(notices).toHaveLength(1);
  });
});

describe("an access token", () => {
  it("is a JWT with the documented claims, of 900 s", async () => {
    const { access_token, user } = await signIn(server, jane);
    const now = Math.floor(server.clock.now().getTime() / 1000);
    expect(claimsOf(access_token)).toMatchObject({
      iss: server.url,
      sub: user["id"],
      aud: server.url,
      iat: now,
      exp: now + 900,
      org_id: server.tenant.id,
      preferred_username: jane.username,
      email: jane.email,
      email_verified: false,
      given_name: "Jane",
      family_name: "Doe",
      roles: [],
    });
    expect(JSON.parse(Buffer.from(access_token.split(".")[0] ?? "", "base64url").toString())).toMatchObject({
      typ: "at+jwt",
      alg: "ES256",
    });
  });

  it("is signed by a key of the JWKS", async () => {
    const { access_token } = await signIn(server, jane);
    const [header = "", payload = "", signature = ""] = access_token.split(".");
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const { keys } = await fetch(`${server.url}/.well-known/jwks.json`).then((response) => response.json());
    const jwk = keys.find((key: { kid: string }) => key.kid === kid);
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    expect(await crypto.subtle.verify(algorithm, key, Buffer.from(signature, "base64url"), signed)).toBe(
      true,
    );
  });

  it("lasts as long as the tenant says", async () => {
    await server.configure({ access_token_lifetime: 60 });
    try {
      const { access_token, expires_in } = await signIn(server, jane);
      expect(expires_in).toBe(60);
      expect((await me(server, access_token)).status).toBe(200);
      server.clock.advance(61);
      expect(await errorOf(await me(server, access_token))).toMatchObject({
        status: 401,
        error: "unauthorized",
      });
    } finally {
      await server.configure({ access_token_lifetime: 900 });
    }
  });
});

describe("GET /me", () => {
  it("answers the profile, under the API's names and under the standard claims'", async () => {
    const { access_token, user } = await signIn(server, jane);
    const response = await me(server, access_token);
    expect(response.status).toBe(200);
    const body = await response.json();
    expect(body).toEqual({
      id: user["id"],
      sub: user["id"],
      org_id: server.tenant.id,
      username: jane.username,
      preferred_username: jane.username,
      email: jane.email,
      email_verified: false,
      given_name: "Jane",
      family_name: "Doe",
      picture: null,
      locale: null,
      zoneinfo: null,
      roles: [],
      permissions: [],
      enabled: true,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(new Date(body.created_at).toISOString()).toBe(body.created_at);
  });

  it("needs a Bearer token, and says so in a challenge", async () => {
    const response = await fetch(`${server.url}/me`);
    expect(response.headers.get("www-authenticate")).toStartWith("Bearer, DPoP algs=");
    expect(await errorOf(response)).toMatchObject({ status: 401, error: "unauthorized" });
  });

  it("says in its challenge that a token does not work", async () => {
    const { access_token, refresh_token } = await signIn(server, jane);
    const [header, payload, signature = ""] = access_token.split(".");
    const changed = Buffer.from(payload ?? "", "base64url")
      .toString()
      .replace('"roles":[]', '"roles":["admin"]');
    const bad = [
      "x",
      refresh_token,
      `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`,
      `${header}.${Buffer.from(changed).toString("base64url")}.${signature}`,
      `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`,
      `${header}.${payload}.`,
    ];
    for (const token of bad) {
      const response = await me(server, token);
      expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
      expect(await errorOf(response)).toMatchObject({ status: 401, error: "unauthorized" });
    }
  });

  it("does not take the token from the query", async () => {
    const { access_token } = await signIn(server, jane);
    expect((await fetch(`${server.url}/me?access_token=${access_token}`)).status).toBe(401);
  });

  it("answers a disabled user no more, though the token has not expired", async () => {
    const person = await registerPerson(server);
    const tokens = await signIn(server, person);
    await server.deps.db.update(users).set({ enabled: false }).where(eq(users.username, person.username));
    expect((await me(server, tokens.access_token)).status).toBe(401);
    expect((await refresh(server, tokens.refresh_token)).status).toBe(401);
  });
});
