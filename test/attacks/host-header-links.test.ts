/**
 * Links in mails are built from the configured URL: a Host header (or a proxy's copy of it) names whoever sent the request,
 * and a reset link to their host would hand them the token (CWE-640, CWE-644; "password reset poisoning").
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { readMailbox, waitForMail } from "../support/mailbox.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { bearer, createOtherTenant, login, PASSWORD, rawRequest } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMITING: "off" } });
  await server.configure({ magic_link_enabled: true, email_code_enabled: true });
  await createOtherTenant(server, "acme");
});
afterAll(() => server.stop());

const EVIL = "evil.example";
const poison = [
  `Host: ${EVIL}`,
  `X-Forwarded-Host: ${EVIL}`,
  `X-Forwarded-Proto: https`,
  `Forwarded: host=${EVIL};proto=https`,
  `X-Original-Host: ${EVIL}`,
  `X-Host: ${EVIL}`,
];

/** The same request as `postJson`, with headers that `fetch` does not let one set. */
function poisoned(method: string, path: string, body?: unknown, token?: string): Promise<string> {
  const text = body === undefined ? "" : JSON.stringify(body);
  return rawRequest(
    server,
    [
      `${method} ${path} HTTP/1.1`,
      ...poison,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(text)}`,
      ...(token ? [`Authorization: ${bearer(token).authorization}`] : []),
      "Connection: close",
      "",
      text,
    ].join("\r\n"),
  );
}

describe("every mail that a poisoned request causes", () => {
  /** Guard: workers/email/handler.ts, issuerOf (PUBLIC_URL and the tenant's own domain, never the request). */
  it.each(["", "/t/acme"])("holds no link but to the configured URL (%j)", async (base) => {
    const username = `poison${base.length}`;
    const email = `${username}@example.com`;
    expect(await poisoned("POST", `${base}/register`, { username, email, password: PASSWORD })).toContain(
      " 201 ",
    );
    const verify = await waitForMail(server, email, ({ text }) => text.includes("/verify-email"));
    await fetch(/https?:\S+/.exec(verify.text)?.[0] ?? "");
    await poisoned("POST", `${base}/register`, { username: `${username}2`, email, password: PASSWORD });
    await poisoned("POST", `${base}/forgot-password`, { email });
    if (base === "") {
      await poisoned("POST", "/login/magic-link", { email });
      await poisoned("POST", "/login/email-code", { email });
    }
    await poisoned("POST", `${base}/login`, { identifier: email, password: PASSWORD });
    const { access_token: token } = await login(server.url + base, email);
    await poisoned("POST", `${base}/me/email`, { email: `new${email}` }, token);
    await poisoned("POST", `${base}/me/export`, {}, token);
    await poisoned(
      "POST",
      `${base}/me/password`,
      { current_password: PASSWORD, new_password: "An0ther-P@ss1!" },
      token,
    );
    await poisoned("DELETE", `${base}/me`, undefined, token);

    const expected = [
      "/verify-email",
      "/reset-password",
      "/email-change/approve",
      "/keep-account",
      ...(base === "" ? ["/signin/link"] : []),
    ];
    for (const path of expected) await waitForMail(server, email, ({ text }) => text.includes(path));
    await waitForMail(server, `new${email}`, ({ text }) => text.includes("/email-change/confirm"));
    const mails = (await readMailbox(server)).filter(({ to }) => to.endsWith(email));
    expect(mails.length).toBeGreaterThan(7);
    for (const { text, html, subject } of mails) {
      expect({ subject, poisoned: `${text}${html}`.includes(EVIL) }).toEqual({ subject, poisoned: false });
      const links = [...text.matchAll(/https?:\/\/\S+/g), ...html.matchAll(/href="([^"]*)"/g)].map(
        ([whole, url]) => url ?? whole,
      );
      for (const link of links) expect(link).toStartWith(`${server.url}${base}`);
    }
  });
});

describe("the pages of a poisoned request", () => {
  /** Guard: web/http.ts, linkTo and formTo (paths without a host). */
  it("lead to no other host", async () => {
    for (const path of ["/signin", "/signin/magic-link", "/signin/code", "/recover", "/signup"]) {
      const answer = await rawRequest(
        server,
        [`GET ${path} HTTP/1.1`, ...poison, "Accept: text/html", "Connection: close", "", ""].join("\r\n"),
      );
      expect(answer).toContain(" 200 ");
      expect(answer).not.toContain(EVIL);
    }
  });
});
