import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import {
  claimsOf,
  errorOf,
  me,
  type Person,
  refresh,
  registerPerson,
  signIn,
  type Tokens,
} from "./account-fixture.ts";

let server: TestServer;
let jane: Person;
beforeAll(async () => {
  server = await startTestServer();
  jane = await registerPerson(server);
});
afterAll(() => server.stop());

const logout = (token: unknown) => postJson(`${server.url}/logout`, { refresh_token: token });

async function rotated(token: string): Promise<Tokens> {
  const response = await refresh(server, token);
  expect(response.status).toBe(200);
  return response.json();
}

const refused = {
  status: 401,
  error: "unauthorized",
  description: "The refresh token is not valid. Please sign in again.",
};

describe("POST /token/refresh", () => {
  it("answers new tokens of the same session, not to be kept by caches", async () => {
    const first = await signIn(server, jane);
    server.clock.advance(60);
    const response = await refresh(server, first.refresh_token);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const next: Tokens = await response.json();
    expect(next).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.stringMatching(/^rt_/),
      token_type: "Bearer",
      expires_in: 900,
    });
    expect(next.refresh_token).not.toBe(first.refresh_token);
    const [before, after] = [claimsOf(first.access_token), claimsOf(next.access_token)];
    expect({ sub: after["sub"], sid: after["sid"], auth_time: after["auth_time"] }).toEqual({
      sub: before["sub"],
      sid: before["sid"],
      auth_time: before["auth_time"],
    });
    expect(after["iat"]).toBe(Number(before["iat"]) + 60);
    expect((await me(server, next.access_token)).status).toBe(200);
  });

  it("answers a retry within 10 seconds with the same refresh token, since the first answer may be lost", async () => {
    const { refresh_token } = await signIn(server, jane);
    const first = await rotated(refresh_token);
    server.clock.advance(10);
    const again = await rotated(refresh_token);
    expect(again.refresh_token).toBe(first.refresh_token);
    expect((await refresh(server, first.refresh_token)).status).toBe(200);
  });

  it("takes a token that comes back later for stolen, and ends the session", async () => {
    const { refresh_token } = await signIn(server, jane);
    const next = await rotated(refresh_token);
    server.clock.advance(11);
    expect(await errorOf(await refresh(server, refresh_token))).toMatchObject(refused);
    expect(await errorOf(await refresh(server, next.refresh_token))).toMatchObject(refused);
    expect((await me(server, next.access_token)).status).toBe(401);
  });

  it("takes one that comes back after its successor was used for stolen, even at once", async () => {
    const { refresh_token } = await signIn(server, jane);
    const second = await rotated(refresh_token);
    const third = await rotated(second.refresh_token);
    expect(await errorOf(await refresh(server, refresh_token))).toMatchObject(refused);
    expect(await errorOf(await refresh(server, third.refresh_token))).toMatchObject(refused);
  });

  it("gives requests that race the same successor", async () => {
    const { refresh_token } = await signIn(server, jane);
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotated(refresh_token)));
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
  });

  it("ends nobody else's session", async () => {
    const [mine, other] = [await signIn(server, jane), await signIn(server, jane)];
    await rotated(mine.refresh_token);
    server.clock.advance(11);
    await refresh(server, mine.refresh_token);
    expect((await refresh(server, other.refresh_token)).status).toBe(200);
  });

  it("refuses one that has expired", async () => {
    const { refresh_token } = await signIn(server, jane);
    server.clock.advance(7 * 86_400 - 1);
    const next = await rotated(refresh_token);
    server.clock.advance(7 * 86_400 + 1);
    expect(await errorOf(await refresh(server, next.refresh_token))).toMatchObject(refused);
  });

  it("refuses what is none, without saying why", async () => {
    const { refresh_token, access_token } = await signIn(server, jane);
    const forged = `${refresh_token.slice(0, -4)}AAAA`;
    for (const token of [
      forged,
      access_token,
      "x",
      "rt_",
      refresh_token.slice(0, -1),
      `${refresh_token}x`,
      refresh_token.toLowerCase(),
      "\u0000",
    ]) {
      expect(await errorOf(await refresh(server, token.slice(0, 512)))).toMatchObject(refused);
    }
    // A forged one does not end the session whose id it carries.
    expect((await refresh(server, refresh_token)).status).toBe(200);
  });

  it("names the field that is missing", async () => {
    for (const [body, message] of [
      [{}, "Is required."],
      [{ refresh_token: 1 }, "Must be a string."],
      [{ refresh_token: "" }, "Must be between 1 and 512 characters."],
      [{ refresh_token: "x".repeat(513) }, "Must be between 1 and 512 characters."],
    ] as const) {
      const error = await errorOf(await postJson(`${server.url}/token/refresh`, body));
      expect(error).toMatchObject({
        status: 422,
        error: "validation_error",
        details: [{ field: "refresh_token", message }],
      });
    }
  });
});

describe("POST /logout", () => {
  it("ends the session: its refresh token and its access tokens", async () => {
    const tokens = await signIn(server, jane);
    const response = await logout(tokens.refresh_token);
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: "" });
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect((await refresh(server, tokens.refresh_token)).status).toBe(401);
    expect((await me(server, tokens.access_token)).status).toBe(401);
  });

  it("ends that session alone", async () => {
    const [mine, other] = [await signIn(server, jane), await signIn(server, jane)];
    await logout(mine.refresh_token);
    expect((await refresh(server, other.refresh_token)).status).toBe(200);
  });

  it("is 204 for whatever token", async () => {
    const { refresh_token, access_token } = await signIn(server, jane);
    for (const token of [
      refresh_token,
      refresh_token,
      `${refresh_token.slice(0, -4)}AAAA`,
      access_token.slice(0, 512),
      "x",
      "rt_\u0000",
    ]) {
      expect((await logout(token)).status).toBe(204);
    }
  });

  it("with a forged token ends nothing", async () => {
    const { refresh_token } = await signIn(server, jane);
    await logout(`${refresh_token.slice(0, -4)}AAAA`);
    expect((await refresh(server, refresh_token)).status).toBe(200);
  });

  it("without a token at all is a request that cannot be understood", async () => {
    expect(await errorOf(await postJson(`${server.url}/logout`, {}))).toMatchObject({
      status: 422,
      details: [{ field: "refresh_token", message: "Is required." }],
    });
  });
});
