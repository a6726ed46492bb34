/** Forgotten passwords and addresses to verify, followed through the mailbox as a person would. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, readMailbox, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import {
  errorOf,
  goodPassword,
  me,
  type Person,
  refresh,
  registerPerson,
  signIn,
} from "./account-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const forgot = (email: unknown) => postJson(`${server.url}/forgot-password`, { email });
const reset = (token: unknown, password: unknown) =>
  postJson(`${server.url}/reset-password`, { token, new_password: password });
const tokenIn = (link: string) => new URL(link).searchParams.get("token") ?? "";
const login = ({ email }: Person, password: string) =>
  postJson(`${server.url}/login`, { identifier: email, password });

/** The tokens of the reset links that were mailed, newest first. */
async function resetToken(person: Person, after: readonly string[] = []): Promise<string> {
  await forgot(person.email);
  const mail = await waitForMail(
    server,
    person.email,
    (candidate) => candidate.text.includes("/reset-password?token=") && !after.includes(candidate.id),
  );
  expect(linkIn(mail)).toStartWith(`${server.url}/reset-password?token=`);
  return tokenIn(linkIn(mail));
}

const invalidToken = { status: 400, error: "invalid_token" };
const newPassword = "An0ther-P@ssword";

const headerNames = (response: Response) => [...response.headers.keys()].toSorted();
const sendVerification = (email: unknown) => postJson(`${server.url}/verify-email/send`, { email });
const verify = (token: string) => fetch(`${server.url}/verify-email?token=${encodeURIComponent(token)}`);

describe("POST /forgot-password", () => {
  it("answers for a known and an unknown address alike", async () => {
    const { email } = await registerPerson(server);
    const [known, unknown] = await Promise.all([forgot(email), forgot("nobody@example.com")]);
    expect(known.status).toBe(200);
    expect(unknown.status).toBe(200);
    expect(await known.json()).toEqual(await unknown.json());
    expect(headerNames(known)).toEqual(headerNames(unknown));
  });

  it("mails nobody at an unknown address", async () => {
    const { email } = await registerPerson(server);
    await forgot("nobody.at.all@example.com");
    await forgot(email);
    await waitForMail(server, email, ({ text }) => text.includes("/reset-password?token="));
    expect((await readMailbox(server)).map(({ to }) => to)).not.toContain("nobody.at.all@example.com");
  });

  it("is refused where the tenant does not allow it, for every address", async () => {
    const { email } = await registerPerson(server);
    await server.configure({ forgot_password_enabled: false });
    try {
      for (const address of [email, "nobody@example.com"]) {
        expect(await errorOf(await forgot(address))).toMatchObject({ status: 403, error: "forbidden" });
      }
    } finally {
      await server.configure({ forgot_password_enabled: true });
    }
  });

  it("names a field that is wrong", async () => {
    for (const [email, message] of [
      [undefined, "Is required."],
      [1, "Must be a valid email address."],
      ["jane", "Must be a valid email address."],
    ] as const) {
      expect(await errorOf(await forgot(email))).toMatchObject({
        status: 422,
        details: [{ field: "email", message }],
      });
    }
  });
});

describe("POST /reset-password", () => {
  it("sets the password, and ends every session and every token", async () => {
    const person = await registerPerson(server);
    const tokens = await signIn(server, person);
    const response = await reset(await resetToken(person), newPassword);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ message: expect.any(String) });
    expect((await login(person, person.password)).status).toBe(401);
    expect((await login(person, newPassword)).status).toBe(200);
    expect((await refresh(server, tokens.refresh_token)).status).toBe(401);
    expect((await me(server, tokens.access_token)).status).toBe(401);
  });

  it("verifies the address that the link was mailed to", async () => {
    const person = await registerPerson(server);
    await reset(await resetToken(person), newPassword);
    const { user } = await signIn(server, { ...person, password: newPassword });
    expect(user["email_verified"]).toBe(true);
  });

  it("works once", async () => {
    const person = await registerPerson(server);
    const token = await resetToken(person);
    expect((await reset(token, newPassword)).status).toBe(200);
    expect(await errorOf(await reset(token, goodPassword))).toMatchObject(invalidToken);
    expect((await login(person, newPassword)).status).toBe(200);
  });

  it("works once when two race", async () => {
    const person = await registerPerson(server);
    const token = await resetToken(person);
    const answers = await Promise.all([
      reset(token, newPassword),
      reset(token, "Y3t-another-one"),
      reset(token, newPassword),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400]);
  });

  it("works for an hour", async () => {
    const [early, late] = [await registerPerson(server), await registerPerson(server)];
    const [earlyToken, lateToken] = [await resetToken(early), await resetToken(late)];
    server.clock.advance(3599);
    expect((await reset(earlyToken, newPassword)).status).toBe(200);
    server.clock.advance(2);
    expect(await errorOf(await reset(lateToken, newPassword))).toMatchObject(invalidToken);
    expect((await login(late, late.password)).status).toBe(200);
  });

  it("stays usable after a password that is too weak", async () => {
    const person = await registerPerson(server);
    const token = await resetToken(person);
    expect(await errorOf(await reset(token, "weak"))).toMatchObject({
      status: 422,
      error: "validation_error",
      details: [{ field: "new_password", message: "Must be between 8 and 128 characters." }],
    });
    expect((await reset(token, newPassword)).status).toBe(200);
  });

  it("tells who has no link nothing of the password policy", async () => {
    expect(await errorOf(await reset("x", "weak"))).toMatchObject(invalidToken);
  });

  it("takes no token that was mailed for something else", async () => {
    const person = await registerPerson(server);
    const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/verify-email?token="));
    expect(await errorOf(await reset(tokenIn(linkIn(mail)), newPassword))).toMatchObject(invalidToken);
    expect((await login(person, person.password)).status).toBe(200);
  });

  it("refuses a link whose secret was guessed, and does not use it up", async () => {
    const person = await registerPerson(server);
    const token = await resetToken(person);
    for (const guess of [
      `${token.slice(0, -3)}AAA`,
      token.slice(0, -1),
      `${token}A`,
      token.toLowerCase(),
      "\u0000",
      "x",
    ]) {
      expect(await errorOf(await reset(guess, newPassword))).toMatchObject(invalidToken);
    }
    expect((await reset(token, newPassword)).status).toBe(200);
  });

  it("names every field that is missing", async () => {
    expect(await errorOf(await postJson(`${server.url}/reset-password`, {}))).toMatchObject({
      status: 422,
      details: [
        { field: "token", message: "Is required." },
        { field: "new_password", message: "Is required." },
      ],
    });
  });
});

describe("POST /verify-email/send", () => {
  it("answers a waiting, a verified and an unknown address alike", async () => {
    const waiting = await registerPerson(server);
    const verified = await registerPerson(server);
    await reset(await resetToken(verified), newPassword);
    const answers = await Promise.all(
      [waiting.email, verified.email, "nobody@example.com"].map(sendVerification),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const [first, ...others] = await Promise.all(answers.map((answer) => answer.json()));
    for (const other of others) expect(other).toEqual(first);
  });

  it("mails the link again, to an address that waits for it alone", async () => {
    const waiting = await registerPerson(server);
    const first = await waitForMail(server, waiting.email);
    await sendVerification(waiting.email);
    const second = await waitForMail(server, waiting.email, ({ id }) => id !== first.id);
    expect(linkIn(second)).toStartWith(`${server.url}/verify-email?token=`);
  });

  it("names a field that is wrong", async () => {
    expect(await errorOf(await sendVerification("jane"))).toMatchObject({
      status: 422,
      details: [{ field: "email", message: "Must be a valid email address." }],
    });
  });
});

describe("GET /verify-email", () => {
  it("verifies the address, once", async () => {
    const person = await registerPerson(server);
    const link = linkIn(await waitForMail(server, person.email));
    const response = await fetch(link);
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 200,
      body: { message: "The email address is verified." },
    });
    expect((await signIn(server, person)).user["email_verified"]).toBe(true);
    expect(await errorOf(await fetch(link))).toMatchObject(invalidToken);
    await waitForMail(server, person.email, ({ subject }) => /welcome/i.test(subject));
  });

  it("is not done by a program that only looks at the page", async () => {
    const person = await registerPerson(server);
    const link = linkIn(await waitForMail(server, person.email));
    const page = await fetch(link, { headers: { accept: "text/html" } });
    expect(page.status).toBe(200);
    expect((await signIn(server, person)).user["email_verified"]).toBe(false);
  });

  it("works for a day", async () => {
    const person = await registerPerson(server);
    const link = linkIn(await waitForMail(server, person.email));
    server.clock.advance(86_401);
    expect(await errorOf(await fetch(link))).toMatchObject(invalidToken);
  });

  it("refuses what is no token", async () => {
    for (const token of ["x", "\u0000", "chal_", "../../etc/passwd"]) {
      expect(await errorOf(await verify(token))).toMatchObject(invalidToken);
    }
    for (const query of ["", "?token=", `?token=${"x".repeat(513)}`, "?other=1"]) {
      expect(await errorOf(await fetch(`${server.url}/verify-email${query}`))).toMatchObject({
        status: 400,
        error: "bad_request",
      });
    }
  });
});
