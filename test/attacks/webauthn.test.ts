/** Attacks on passkeys (WebAuthn Level 3 §7.2, §13.4): forged, replayed, borrowed and cloned. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Forgery, SoftAuthenticator } from "../support/authenticator.ts";
import { bearer, newAuthenticator } from "../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { count, countEvents, newVictim, pendingLogin, victimWithPasskey } from "./mfa-support.ts";
import { errorOf, rawRequest } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ max_failed_login_attempts: 100, max_failed_attempts_per_ip: 10_000 });
});
afterAll(() => server.stop());

type RequestOptions = Parameters<SoftAuthenticator["get"]>[0];
type CreationOptions = Parameters<SoftAuthenticator["create"]>[0];

const begin = async (token?: string) =>
  (await (
    await postJson(`${server.url}/mfa/webauthn/login/begin`, token ? { mfa_token: token } : {})
  ).json()) as RequestOptions;
const complete = (response: unknown, token?: string) =>
  postJson(`${server.url}/mfa/webauthn/login/complete${token ? `?mfa_token=${token}` : ""}`, response);
const beginRegistration = async (token: string) =>
  (await (
    await postJson(`${server.url}/mfa/webauthn/register/begin`, {}, bearer(token))
  ).json()) as CreationOptions;
const register = (token: string, response: unknown) =>
  postJson(`${server.url}/mfa/webauthn/register/complete`, response, bearer(token));

const chosen = Buffer.from(`chal_${"0".repeat(26)}_${"A".repeat(43)}`).toString("base64url");
const evil = Buffer.from("user_01JD2M9V7QX5T8Z4C6B3N0K1HF").toString("base64url");

/** What each part of a response may not be. */
const forgeries: [string, Forgery][] = [
  ["a challenge that the client chose", { challenge: chosen }],
  ["a challenge of another kind of text", { challenge: Buffer.alloc(32, 7).toString("base64url") }],
  ["another origin", { origin: "https://localhost.evil.example" }],
  ["another port of the same host", { origin: "http://localhost:1" }],
  ["another relying party", { rpId: "evil.example" }],
  ["a frame on another site", { crossOrigin: true }],
  ["another ceremony", { type: "payment.get" }],
  ["a user who was not there", { userPresent: false }],
  ["a spoilt signature", { spoilSignature: true }],
  ["another user's handle", { userHandle: evil }],
];

describe("a forged assertion", () => {
  /** Guards: domain/passkeys/assertions.ts, checkAssertion; protocol/webauthn/authentication.ts, verifyAssertion. */
  it.each(forgeries)("with %s signs nobody in", async (_, forgery) => {
    const { person, authenticator } = await victimWithPasskey(server);
    const alone = complete(authenticator.get(await begin(), forgery));
    expect(await errorOf(alone)).toEqual([401, "unauthorized"]);
    const token = await pendingLogin(server.url, person);
    const second = complete(authenticator.get(await begin(token), forgery), token);
    expect(await errorOf(second)).toEqual([401, "invalid_code"]);
  });

  /** Guard: protocol/webauthn/authentication.ts, requireUserHandle (step 6). */
  it("without a user handle signs nobody in who was not named", async () => {
    const { authenticator } = await victimWithPasskey(server);
    const answer = complete(authenticator.get(await begin(), { userHandle: null }));
    expect(await errorOf(answer)).toEqual([401, "unauthorized"]);
  });

  /** Guard: domain/passkeys/ceremonies.ts, relyingParty: from the configuration, never from the Host header. */
  it("for a host that the request names is for the wrong site", async () => {
    const { port } = new URL(server.url);
    const raw = await rawRequest(
      server,
      `POST /mfa/webauthn/login/begin HTTP/1.1\r\nHost: evil.example:${port}\r\nX-Forwarded-Host: evil.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect(raw).toContain('"rpId":"localhost"');
    expect(raw).not.toContain("evil");
  });
});

describe("a genuine assertion", () => {
  /** Guard: domain/challenges/repo.ts, consumeOne. */
  it("is good once", async () => {
    const { authenticator } = await victimWithPasskey(server);
    const response = authenticator.get(await begin());
    expect((await complete(response)).status).toBe(200);
    expect(await errorOf(complete(response))).toEqual([401, "unauthorized"]);
  });

  /** Guard: the same, by one statement. The authenticator keeps no counter, which would help. */
  it("is good for one of twenty requests that race", async () => {
    const { authenticator } = await victimWithPasskey(server);
    const response = authenticator.get(await begin());
    const answers = await Promise.all(Array.from({ length: 20 }, () => complete(response)));
    expect([count(answers, 200), count(answers, 401)]).toEqual([1, 19]);
  });

  /** Guard: domain/challenges/repo.ts, consumeOne: used up by a failure, too. */
  it("is not good after a forged one used its challenge up", async () => {
    const { authenticator } = await victimWithPasskey(server);
    const options = await begin();
    expect((await complete(authenticator.get(options, { spoilSignature: true }))).status).toBe(401);
    expect((await complete(authenticator.get(options))).status).toBe(401);
  });

  /** Guard: domain/challenges/repo.ts, isOpen (`expires_at`). */
  it("is not good after five minutes", async () => {
    const { authenticator } = await victimWithPasskey(server);
    const response = authenticator.get(await begin());
    server.clock.advance(300);
    expect((await complete(response)).status).toBe(401);
  });

  /** Guard: domain/passkeys/assertions.ts, checkAssertion (`purpose`). */
  it("is good for what it was asked for, and for nothing else", async () => {
    const { person, tokens, authenticator } = await victimWithPasskey(server);
    const [one, other] = [await pendingLogin(server.url, person), await pendingLogin(server.url, person)];
    expect((await complete(authenticator.get(await begin(one)), other)).status).toBe(401);
    expect((await complete(authenticator.get(await begin(one)))).status).toBe(401);
    expect((await complete(authenticator.get(await begin()), one)).status).toBe(401);
    const stepUp = postJson(
      `${server.url}/mfa/webauthn/step-up/complete`,
      authenticator.get(await begin()),
      bearer(tokens.access_token),
    );
    expect(await errorOf(stepUp)).toEqual([401, "invalid_code"]);
    expect((await complete(authenticator.get(await begin(one)), one)).status).toBe(200);
  });

  /** Guard: domain/passkeys/assertions.ts, checkAssertion (`passkey.userId`). */
  it("of the attacker's own passkey is no second factor of the victim", async () => {
    const { person } = await victimWithPasskey(server);
    const { authenticator: own } = await victimWithPasskey(server);
    const token = await pendingLogin(server.url, person);
    const credential = own.credentials[0];
    const request = { ...(await begin(token)), allowCredentials: [] };
    expect(await errorOf(complete(own.get(request, {}, credential), token))).toEqual([401, "invalid_code"]);
    const handle = Buffer.from(person.id).toString("base64url");
    const dressed = own.get({ ...(await begin(token)), allowCredentials: [] }, { userHandle: handle });
    expect(await errorOf(complete(dressed, token))).toEqual([401, "invalid_code"]);
  });

  /** Guard: protocol/webauthn/authentication.ts: the stored key of the credential that is named verifies. */
  it("of the attacker's key under the victim's credential id signs nobody in", async () => {
    const { authenticator: victims } = await victimWithPasskey(server);
    const { authenticator: own } = await victimWithPasskey(server);
    const credentialId = victims.credentials[0]?.id ?? Buffer.alloc(0);
    const userHandle = victims.credentials[0]?.userHandle ?? "";
    const answer = complete(own.get(await begin(), { credentialId, userHandle }));
    expect(await errorOf(answer)).toEqual([401, "unauthorized"]);
  });
});

describe("a cloned authenticator (§6.1.1)", () => {
  /** Guard: domain/passkeys/repo.ts, noteUse (the counter), and provenPasskey's `lost`. */
  it("is noticed by its counter, refused, and written down", async () => {
    const { person, authenticator } = await victimWithPasskey(server, { counts: true });
    expect((await complete(authenticator.get(await begin(), { counter: 7 }))).status).toBe(200);
    const before = await countEvents(server, "mfa.counter_regressed");
    for (const counter of [7, 6, 0]) {
      const answer = complete(authenticator.get(await begin(), { counter }));
      expect(await errorOf(answer)).toEqual([401, "unauthorized"]);
    }
    const token = await pendingLogin(server.url, person);
    const second = complete(authenticator.get(await begin(token), { counter: 3 }), token);
    expect(await errorOf(second)).toEqual([401, "invalid_code"]);
    expect((await countEvents(server, "mfa.counter_regressed")) - before).toBe(4);
    expect((await complete(authenticator.get(await begin(), { counter: 8 }))).status).toBe(200);
  });

  /** Guard: protocol/webauthn/authentication.ts: the signature is verified before the counter is believed. */
  it("is not cried out by whoever has not even the key", async () => {
    const { authenticator } = await victimWithPasskey(server, { counts: true });
    expect((await complete(authenticator.get(await begin(), { counter: 7 }))).status).toBe(200);
    const before = await countEvents(server, "mfa.counter_regressed");
    const forged = authenticator.get(await begin(), { counter: 3, spoilSignature: true });
    expect((await complete(forged)).status).toBe(401);
    expect(await countEvents(server, "mfa.counter_regressed")).toBe(before);
  });
});

describe("a registration", () => {
  /** Guards: domain/passkeys/ceremonies.ts, consumeCeremony; protocol/webauthn/registration.ts. */
  it.each(forgeries.filter(([, { spoilSignature, userHandle }]) => !spoilSignature && !userHandle))(
    "with %s is refused",
    async (_, forgery) => {
      const { tokens } = await newVictim(server);
      const options = await beginRegistration(tokens.access_token);
      const answer = register(tokens.access_token, newAuthenticator(server).create(options, forgery));
      expect(await errorOf(answer)).toEqual([400, "invalid_credential"]);
    },
  );

  /** Guard: domain/passkeys/service.ts, finishRegistration (`challenge.userId`). */
  it("for another user's challenge is refused: nobody's key gets into somebody else's account", async () => {
    const [victim, attacker] = [await newVictim(server), await newVictim(server)];
    const response = newAuthenticator(server).create(await beginRegistration(attacker.tokens.access_token));
    expect(await errorOf(register(victim.tokens.access_token, response))).toEqual([
      400,
      "invalid_credential",
    ]);
  });

  /** Guard: domain/challenges/repo.ts, consumeOne. */
  it("is good once", async () => {
    const { tokens } = await newVictim(server);
    const response = newAuthenticator(server).create(await beginRegistration(tokens.access_token));
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => register(tokens.access_token, response)),
    );
    expect([count(answers, 200), count(answers, 400)]).toEqual([1, 9]);
  });

  /** Guard: db/schema/mfa.ts, passkeys_credential (§7.1 step 26). */
  it("of a credential that somebody has is refused", async () => {
    const { authenticator } = await victimWithPasskey(server);
    const attacker = await newVictim(server);
    const [credential] = authenticator.credentials;
    if (!credential) throw new Error("no credential");
    const options = await beginRegistration(attacker.tokens.access_token);
    const response = authenticator.create(options, {}, credential);
    expect(await errorOf(register(attacker.tokens.access_token, response))).toEqual([
      400,
      "invalid_credential",
    ]);
  });
});
