/** A body for every JSON route that anybody may call, and what every answer to a broken one has to be like. */
import { expect } from "bun:test";
import { PASSWORD } from "./support.ts";

export const suffix = () => crypto.randomUUID().slice(0, 8);

export const bodies: Record<string, () => Record<string, string>> = {
  "/register": () => ({
    username: `user-${suffix()}`,
    email: `user-${suffix()}@example.com`,
    password: PASSWORD,
    given_name: "Ada",
    family_name: "Lovelace",
  }),
  "/login": () => ({ identifier: "somebody", password: PASSWORD }),
  "/logout": () => ({ refresh_token: "x" }),
  "/token/refresh": () => ({ refresh_token: "x" }),
  "/forgot-password": () => ({ email: "a@example.com" }),
  "/reset-password": () => ({ token: "x", new_password: PASSWORD }),
  "/mfa/totp/verify": () => ({ mfa_token: "x", code: "123456" }),
  "/verify-email/send": () => ({ email: "a@example.com" }),
};

/** A refusal or a success that was deserved, told in the documented shape and without an echo of what was sent. */
export async function expectHandled(response: Response, sent: string): Promise<void> {
  const text = await response.text();
  expect([sent.slice(0, 40), response.status < 500, response.status]).toEqual([
    sent.slice(0, 40),
    true,
    response.status,
  ]);
  expect(text).not.toMatch(/\bat .*\.ts:\d+|node_modules|PostgresError|DrizzleQueryError|select "/);
  if (response.headers.get("content-type")?.includes("html")) expect(text).not.toContain("<script>alert");
  if (response.status >= 400 && response.headers.get("content-type")?.startsWith("application/json")) {
    expect(JSON.parse(text)).toMatchObject({ error: expect.any(String), request_id: expect.any(String) });
    if (sent.length > 8) expect(text).not.toContain(sent);
  }
}
