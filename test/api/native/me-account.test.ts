/** Looking after one's own account: profile, password, email address. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { login, PASSWORD, tokensOf } from "../../attacks/support.ts";
import { linkIn, type Mail, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { caller, json, linkOf, press, someone, verified } from "./me-fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("the profile", () => {
  it("is changed member by member, and a null takes one away", async () => {
    const { call } = await someone(server);
    const changes = { given_name: "Jane", family_name: "Doe", locale: "de-AT", zoneinfo: "Europe/Vienna" };
    expect(await json(call("PATCH", "/me", changes))).toMatchObject(changes);
    const after = await json(
      call("PATCH", "/me", { given_name: null, picture: "https://img.example/j.png" }),
    );
    expect(after).toMatchObject({ ...changes, given_name: null, picture: "https://img.example/j.png" });
    expect(await json(call("GET", "/me"))).toMatchObject({ ...changes, given_name: null });
  });

  it("is replaced as a whole by PUT", async () => {
    const { call } = await someone(server);
    await call("PATCH", "/me", { given_name: "Jane", locale: "de" });
    expect(await json(call("PUT", "/me", { family_name: "Doe" }))).toMatchObject({
      given_name: null,
      family_name: "Doe",
      locale: null,
    });
  });

  it.each([
    ["given_name", " "],
    ["given_name", "Jane\r\nDoe"],
    ["picture", "http://img.example/j.png"],
    ["picture", "javascript:alert(1)"],
    ["picture", "https://user:secret@img.example/"],
    ["locale", "not a language"],
    ["zoneinfo", "Mars/Olympus"],
    ["zoneinfo", "+02:00"],
  ])("takes no %s like %j", async (field, value) => {
    const { call } = await someone(server);
    const response = await call("PATCH", "/me", { [field]: value });
    expect(response.status).toBe(422);
    expect((await json(response))["details"]).toMatchObject([{ field }]);
  });

  it("takes what nobody may set from nobody", async () => {
    const { call, person } = await someone(server);
    await call("PATCH", "/me", { email: "other@example.com", roles: ["admin"], email_verified: true });
    expect(await json(call("GET", "/me"))).toMatchObject({
      email: person.email,
      roles: [],
      email_verified: false,
    });
  });
});

describe("changing the password", () => {
  const NEXT = "An0ther-P@ssword!";

  it("takes the current one, ends the other sessions, keeps this one, and tells the owner", async () => {
    const { person, call } = await someone(server);
    const other = await login(server.url, person.email);
    const response = await call("POST", "/me/password", { current_password: PASSWORD, new_password: NEXT });
    expect(response.status).toBe(200);
    expect((await call("GET", "/me")).status).toBe(200);
    expect((await caller(server, other.access_token)("GET", "/me")).status).toBe(401);
    const again = await postJson(`${server.url}/token/refresh`, { refresh_token: other.refresh_token });
    expect(again.status).toBe(401);
    expect(
      (await postJson(`${server.url}/login`, { identifier: person.email, password: PASSWORD })).status,
    ).toBe(401);
    await login(server.url, person.email, NEXT);
    await waitForMail(server, person.email, ({ subject }) => subject.includes("password"));
  });

  it("keeps the other sessions when asked to", async () => {
    const { person, call } = await someone(server);
    const other = await login(server.url, person.email);
    await call("POST", "/me/password", {
      current_password: PASSWORD,
      new_password: NEXT,
      end_other_sessions: false,
    });
    expect((await caller(server, other.access_token)("GET", "/me")).status).toBe(200);
  });

  it("refuses a wrong current one, a weak new one and the same one", async () => {
    const { call } = await someone(server);
    const attempt = async (current_password: string, new_password: string) => {
      const response = await call("POST", "/me/password", { current_password, new_password });
      return [response.status, (await json(response))["details"]];
    };
    expect(await attempt("Wr0ng-password!", NEXT)).toMatchObject([422, [{ field: "current_password" }]]);
    expect(await attempt(PASSWORD, "short")).toMatchObject([422, [{ field: "new_password" }]]);
    expect(await attempt(PASSWORD, PASSWORD)).toMatchObject([422, [{ field: "new_password" }]]);
  });

  it("without the current one needs a sign-in of the last minutes", async () => {
    const { person, call } = await someone(server);
    expect((await call("POST", "/me/password", { new_password: NEXT })).status).toBe(200);
    const fresh = await login(server.url, person.email, NEXT);
    server.clock.advance(16 * 60);
    const renewed = await tokensOf(
      postJson(`${server.url}/token/refresh`, { refresh_token: fresh.refresh_token }),
    );
    const late = await caller(server, renewed.access_token)("POST", "/me/password", {
      new_password: PASSWORD,
    });
    expect(late.status).toBe(401);
    expect(late.headers.get("www-authenticate")).toContain("insufficient_user_authentication");
  });
});

describe("changing the email address", () => {
  const newAddress = () => `new${crypto.randomUUID()}@example.com`;

  it("happens when the old one has approved and the new one confirmed; both are told", async () => {
    const { person, call } = await verified(server);
    const email = newAddress();
    const response = await call("POST", "/me/email", { email });
    expect(response.status).toBe(202);
    expect(await json(response)).toMatchObject({ new_email: email, approved: false, confirmed: false });

    const toOld = linkIn(await waitForMail(server, person.email, linkOf("/email-change/approve")));
    const toNew = linkIn(await waitForMail(server, email, linkOf("/email-change/confirm")));
    expect((await press(server, toNew)).status).toBe(200);
    expect(await json(call("GET", "/me"))).toMatchObject({ email: person.email });
    expect(await json(call("GET", "/me/email"))).toMatchObject({ approved: false, confirmed: true });
    expect((await press(server, toOld)).status).toBe(200);
    expect(await json(call("GET", "/me"))).toMatchObject({ email, email_verified: true });
    expect((await call("GET", "/me/email")).status).toBe(404);

    const changed = ({ subject }: Mail) => subject.includes("was changed");
    await waitForMail(server, person.email, changed);
    await waitForMail(server, email, changed);
    await login(server.url, email);
  });

  it("asks no old address that was never confirmed", async () => {
    const { call } = await someone(server);
    const email = newAddress();
    expect(await json(call("POST", "/me/email", { email }))).toMatchObject({ approved: true });
    await press(server, linkIn(await waitForMail(server, email, linkOf("/email-change/confirm"))));
    expect(await json(call("GET", "/me"))).toMatchObject({ email });
  });

  it("can be called off, and then no link works", async () => {
    const { call } = await verified(server);
    const email = newAddress();
    await call("POST", "/me/email", { email });
    const link = linkIn(await waitForMail(server, email, linkOf("/email-change/confirm")));
    expect((await call("DELETE", "/me/email")).status).toBe(204);
    expect((await call("DELETE", "/me/email")).status).toBe(404);
    expect((await fetch(link, { headers: { accept: "text/html" } })).status).toBe(400);
  });

  it("is replaced by a newer one", async () => {
    const { call } = await verified(server);
    const [first, second] = [newAddress(), newAddress()];
    await call("POST", "/me/email", { email: first });
    const link = linkIn(await waitForMail(server, first, linkOf("/email-change/confirm")));
    await call("POST", "/me/email", { email: second });
    expect((await fetch(link, { headers: { accept: "text/html" } })).status).toBe(400);
    expect(await json(call("GET", "/me/email"))).toMatchObject({ new_email: second });
  });

  it("refuses what is no address, and the same one", async () => {
    const { call, person } = await someone(server);
    expect((await call("POST", "/me/email", { email: "jane" })).status).toBe(422);
    expect((await call("POST", "/me/email", { email: person.email.toUpperCase() })).status).toBe(422);
  });
});
