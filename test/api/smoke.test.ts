import { afterAll, beforeAll, expect, test } from "bun:test";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { linkIn, waitForMail } from "../support/mailbox.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test("register, mail, verify", async () => {
  const r = await postJson(`${server.url}/register`, {
    username: "jane",
    email: "jane@example.com",
    password: "SecureP@ssw0rd!",
  });
  expect(r.status).toBe(201);
  const mail = await waitForMail(server, "jane@example.com");
  const v = await fetch(linkIn(mail));
  expect(await v.json()).toEqual({ message: "The email address is verified." });
});
