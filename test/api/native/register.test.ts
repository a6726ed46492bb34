import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { readMailbox, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { errorOf, goodPassword, newPerson, registerPerson } from "./account-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const register = (body: unknown) => postJson(`${server.url}/register`, body);

const userOf = (overrides: Record<string, unknown>) => ({
  id: expect.stringMatching(/^user_[0-9A-HJKMNP-TV-Z]{26}$/),
  org_id: server.tenant.id,
  email_verified: false,
  given_name: null,
  family_name: null,
  picture: null,
  roles: [],
  enabled: true,
  created_at: server.clock.now().toISOString(),
  updated_at: server.clock.now().toISOString(),
  ...overrides,
});

describe("POST /register", () => {
  it("makes a user and says who it is, without the password", async () => {
    const person = newPerson();
    const response = await register({ ...person, given_name: "Jane", family_name: "Doe" });
    expect(response.status).toBe(201);
    const { username, email } = person;
    expect(await response.json()).toEqual(
      userOf({ username, email, given_name: "Jane", family_name: "Doe" }),
    );
  });

  it("needs no names", async () => {
    const person = newPerson();
    const { username, email } = person;
    expect(await (await register(person)).json()).toEqual(userOf({ username, email }));
  });

  it("mails a link that verifies the address", async () => {
    const { email } = await registerPerson(server);
    expect((await waitForMail(server, email)).text).toContain(`${server.url}/verify-email?token=`);
  });

  it("answers for a known address as for a new one, and tells its owner by mail", async () => {
    const owner = await registerPerson(server, { given_name: "Owner" });
    const stranger = newPerson();
    const response = await register({ ...stranger, email: owner.email.toUpperCase() });
    expect(response.status).toBe(201);
    const body = await response.json();
    expect(body).toEqual(userOf({ username: stranger.username, email: owner.email.toUpperCase() }));
    await waitForMail(server, owner.email, ({ subject }) => /already/i.test(subject));
    // Nobody was made.
    const login = await postJson(`${server.url}/login`, {
      identifier: stranger.username,
      password: goodPassword,
    });
    expect(login.status).toBe(401);
    expect((await readMailbox(server)).filter(({ to }) => to.toLowerCase() === owner.email).length).toBe(2);
  });

  it("says that a username is taken, however it is spelt", async () => {
    const { username } = await registerPerson(server);
    for (const taken of [username, username.toUpperCase()]) {
      const error = await errorOf(await register({ ...newPerson(), username: taken }));
      expect(error).toMatchObject({ status: 409, error: "conflict" });
      expect(error.description).not.toContain(username);
    }
  });

  it("makes one user when two ask for the same name at once", async () => {
    const { username } = newPerson();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => register({ ...newPerson(), username })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409]);
  });

  it("makes one user when two ask for the same address at once, and answers both alike", async () => {
    const { email } = newPerson();
    const people = Array.from({ length: 4 }, () => ({ ...newPerson(), email }));
    const answers = await Promise.all(people.map(register));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const logins = await Promise.all(
      people.map(({ username }) =>
        postJson(`${server.url}/login`, { identifier: username, password: goodPassword }),
      ),
    );
    expect(logins.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
  });

  it("is refused where the tenant takes no registrations", async () => {
    await server.configure({ self_registration_enabled: false });
    try {
      expect(await errorOf(await register(newPerson()))).toMatchObject({ status: 403, error: "forbidden" });
    } finally {
      await server.configure({ self_registration_enabled: true });
    }
  });
});

describe("a registration that is wrong", () => {
  it("names every field that is missing", async () => {
    const error = await errorOf(await register({}));
    expect(error).toMatchObject({
      status: 422,
      error: "validation_error",
      description: "Request body failed validation.",
    });
    expect(error.details).toEqual([
      { field: "username", message: "Is required." },
      { field: "email", message: "Is required." },
      { field: "password", message: "Is required." },
    ]);
  });

  it("names email, username and password at once, as documented", async () => {
    const { status, details } = await errorOf(
      await register({ username: "ab", email: "jane", password: "password" }),
    );
    expect(status).toBe(422);
    expect(details.toSorted((a, b) => a.field.localeCompare(b.field))).toEqual([
      { field: "email", message: "Must be a valid email address." },
      {
        field: "password",
        message:
          "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
      },
      { field: "username", message: expect.stringMatching(/^Must be between 3 and 128 characters/) },
    ]);
  });

  it("names each field once, also an empty password", async () => {
    const { details } = await errorOf(await register({ username: "", email: "", password: "" }));
    expect(details.map(({ field }) => field).toSorted()).toEqual(["email", "password", "username"]);
  });

  it.each([
    ["short", "Must be between 8 and 128 characters."],
    [`Aa1!${"x".repeat(125)}`, "Must be between 8 and 128 characters."],
    [
      "alllowercase1!",
      "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
    ],
    [
      "ALLUPPERCASE1!",
      "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
    ],
    [
      "NoDigitsHere!",
      "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
    ],
    [
      "NoSymbolHere1",
      "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
    ],
    [
      "Only spaces 1 as symbols",
      "Must contain at least one uppercase letter, one lowercase letter, one digit, and one special character.",
    ],
  ])("the password %p: %s", async (password, message) => {
    const error = await errorOf(await register({ ...newPerson(), password }));
    expect(error).toMatchObject({ status: 422, details: [{ field: "password", message }] });
  });

  it.each([`Aa1!${"x".repeat(124)}`, "Ünïcödé-Pässwörd-1", "Aa1!🙂🙂🙂🙂"])(
    "the password %p is fine",
    async (password) => {
      expect((await register({ ...newPerson(), password })).status).toBe(201);
    },
  );

  it("keeps the tenant's own policy", async () => {
    await server.configure({
      password_min_length: 12,
      password_require_symbol: false,
      password_require_digit: false,
    });
    try {
      const short = await errorOf(await register({ ...newPerson(), password: "Elevenchars" }));
      expect(short.details).toEqual([
        { field: "password", message: "Must be between 12 and 128 characters." },
      ]);
      const weak = await errorOf(await register({ ...newPerson(), password: "twelvelowercase" }));
      expect(weak.details).toEqual([
        {
          field: "password",
          message: "Must contain at least one uppercase letter and one lowercase letter.",
        },
      ]);
      expect((await register({ ...newPerson(), password: "TwelveLetters" })).status).toBe(201);
    } finally {
      await server.configure({
        password_min_length: 8,
        password_require_symbol: true,
        password_require_digit: true,
      });
    }
  });

  it.each(["ab", "x".repeat(129), "with space", "with@sign", "<script>", "", "naïve", "a/b", "a\u0000bc"])(
    "the username %p is refused",
    async (username) => {
      const error = await errorOf(await register({ ...newPerson(), username }));
      expect(error).toMatchObject({ status: 422, details: [{ field: "username" }] });
    },
  );

  it.each([
    "jane",
    "jane@",
    "@example.com",
    "jane@exa mple.com",
    `${"x".repeat(250)}@example.com`,
    "a@b@c.example",
    "jane@example.com\u0000",
    "jane@example.com\r\nBcc: x@example.com",
    "",
  ])("the address %p is refused", async (email) => {
    const error = await errorOf(await register({ ...newPerson(), email }));
    expect(error).toMatchObject({
      status: 422,
      details: [{ field: "email", message: "Must be a valid email address." }],
    });
  });

  it.each([
    ["roles", ["admin"]],
    ["enabled", false],
    ["email_verified", true],
    ["id", "user_01JD2M9V7QX5T8Z4C6B3N0K1HF"],
    ["org_id", "tenant_01JD2M9V7QX5T8Z4C6B3N0K1HF"],
    ["__proto__", { roles: ["admin"] }],
    ["constructor", { prototype: { roles: ["admin"] } }],
  ])("a field that nobody may set changes nothing: %s", async (field, value) => {
    const person = newPerson();
    const body = JSON.stringify(person).replace(/}$/, `,${JSON.stringify(field)}:${JSON.stringify(value)}}`);
    const made = await (await postJson(`${server.url}/register`, body)).json();
    expect(made).toMatchObject({ roles: [], enabled: true, email_verified: false, org_id: server.tenant.id });
    const { username, email, password } = person;
    const signedIn = await (await postJson(`${server.url}/login`, { identifier: username, password })).json();
    expect(signedIn.user).toMatchObject({
      id: made.id,
      email,
      roles: [],
      enabled: true,
      email_verified: false,
    });
  });
});

describe("registering with an Idempotency-Key", () => {
  it("twice makes one account, and gives one answer", async () => {
    const send = (body: unknown) =>
      postJson(`${server.url}/register`, body, { "idempotency-key": "registration-1" });
    const person = newPerson();
    const [first, second] = [await send(person), await send(person)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(await second.json()).toEqual(await first.json());
    expect((await send(newPerson())).status).toBe(422);
  });
});
