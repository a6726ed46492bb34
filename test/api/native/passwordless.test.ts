/** Codes as first and second factors, with the rules of second factors around them. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, type Mail, readMailbox, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { errorOf, PASSWORD, type Person, register } from "../../attacks/support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMITING: "off" } });
  await server.configure({
    email_code_enabled: true,
    magic_link_enabled: true,
    mfa_enforcement: "required",
    mfa_methods: ["email_code", "totp"],
  });
});
afterAll(() => server.stop());

async function verified(): Promise<Person> {
  const person = await register(server.url);
  const mail = await waitForMail(server, person.email, ({ text }) => text.includes("/verify-email"));
  await fetch(linkIn(mail));
  return person;
}

const isCode = ({ subject }: Mail) => /^\d{6} /.test(subject);
const codeFor = async (email: string) => (await waitForMail(server, email, isCode)).subject.slice(0, 6);
const post = async (path: string, body: unknown) => {
  const response = await postJson(server.url + path, body);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe("a mailed code as the second factor", () => {
  it("completes a sign-in with a password, once", async () => {
    const person = await verified();
    const { body } = await post("/login", { identifier: person.email, password: PASSWORD });
    expect(body).toMatchObject({ mfa_required: true, mfa_methods: ["email_code"] });
    const mfa_token = body["mfa_token"];
    expect((await post("/mfa/email-code/send", { mfa_token })).status).toBe(200);
    const again = await post("/mfa/email-code/send", { mfa_token });
    expect([again.status, again.body["error"]]).toEqual([429, "rate_limited"]);
    const code = await codeFor(person.email);
    expect(
      (await readMailbox(server)).filter((mail) => mail.to === person.email && isCode(mail)),
    ).toHaveLength(1);
    const wrong = code === "000000" ? "000001" : "000000";
    expect((await post("/mfa/email-code/verify", { mfa_token, code: wrong })).status).toBe(401);
    const done = await post("/mfa/email-code/verify", { mfa_token, code });
    expect(done.status).toBe(200);
    expect(done.body["access_token"]).toBeString();
    expect((await post("/mfa/email-code/verify", { mfa_token, code })).status).toBe(401);
  });

  it("is not for who signed in by mail: it would prove the same thing twice", async () => {
    const person = await verified();
    const asked = await post("/login/email-code", { email: person.email });
    const proof_token = asked.body["proof_token"];
    const answer = await post("/login/email-code/verify", { proof_token, code: await codeFor(person.email) });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ mfa_enrollment_required: true, mfa_methods: ["totp"] });
    expect(answer.body["access_token"]).toBeUndefined();
    const sent = await post("/mfa/email-code/send", { mfa_token: answer.body["mfa_token"] });
    expect(sent.status).toBe(401);
  });

  it("cannot be sent with a token that is none", async () => {
    const response = postJson(`${server.url}/mfa/email-code/send`, { mfa_token: "chal_x" });
    expect(await errorOf(response)).toEqual([401, "invalid_mfa_token"]);
  });

  it("does not open what a code of a sign-in opens, nor the reverse", async () => {
    const person = await verified();
    const { body } = await post("/login", { identifier: person.email, password: PASSWORD });
    const asked = await post("/login/email-code", { email: person.email });
    const code = await codeFor(person.email);
    expect((await post("/mfa/email-code/verify", { mfa_token: body["mfa_token"], code })).status).toBe(401);
    const proof_token = asked.body["proof_token"];
    expect((await post("/login/email-code/verify", { proof_token, code })).status).toBe(200);
  });
});

describe("a texted code as the second factor", () => {
  it("is not sent to who has verified no number", async () => {
    const person = await verified();
    const { body } = await post("/login", { identifier: person.email, password: PASSWORD });
    expect((await post("/mfa/sms-code/send", { mfa_token: body["mfa_token"] })).status).toBe(403);
  });
});
