/** Connections as a way into our own network (server-side request forgery, OWASP SSRF): rehearsals tell nothing of it. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { plainHost } from "../outbound/support.ts";
import { administratorsToken, caller } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let call: ReturnType<typeof caller>;
let counter = 0;

beforeAll(async () => {
  // Nothing of its own network is allowed.
  server = await startTestServer();
  call = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

async function rehearse(body: Record<string, unknown>) {
  const made = await call<{ id: string }>("POST", "/connections", { key: `probe-${++counter}`, ...body });
  expect(made.status).toBe(201);
  const { status, body: tested } = await call<{
    findings: { check: string; status: string; message: string }[];
  }>("POST", `/connections/${made.body.id}/test`);
  expect(status).toBe(200);
  return tested.findings;
}
const openid = (issuer: string, config: Record<string, unknown> = {}) => ({
  kind: "oidc",
  config: { issuer, client_id: "c", ...config },
  secrets: { client_secret: "s" },
});
const ldap = (url: string) => ({
  kind: "ldap",
  config: { url, bind_dn: "cn=r,dc=x", base_dn: "dc=x" },
  secrets: { bind_password: "s" },
});

describe("a connection's addresses", () => {
  /** Guard: outbound/target.ts, resolveHost; domain/connections/probe goes nowhere but through deps.outbound. */
  it("that lead into our own network are asked nothing", async () => {
    const host = await plainHost((_, response) => response.end("{}"));
    for (const issuer of [
      `http://127.0.0.1:${host.port}`,
      `http://localhost:${host.port}`,
      `https://127.0.0.1:${host.port}`,
      `https://[::ffff:127.0.0.1]:${host.port}`,
      `https://2130706433:${host.port}`,
    ])
      await rehearse(openid(issuer));
    await rehearse(ldap(`ldaps://127.0.0.1:${host.port}`));
    await rehearse(ldap(`ldap://127.0.0.1:${host.port}`));
    expect(host.visits()).toBe(0);
    await host.stop();
  });

  /** Guard: domain/connections/probe/findings.ts, UNREACHABLE for every reason. */
  it("are answered alike whether somebody is there or not", async () => {
    const host = await plainHost((_, response) => response.end("{}"));
    const [open, closed, unknown, elsewhere] = [
      await rehearse(openid(`https://127.0.0.1:${host.port}`)),
      await rehearse(openid("https://127.0.0.1:1")),
      await rehearse(openid("https://no-such-host.invalid")),
      await rehearse(openid("https://169.254.169.254")),
    ];
    const told = (findings: typeof open) => findings.filter(({ check }) => check !== "redirect_uri");
    for (const other of [closed, unknown, elsewhere]) expect(told(other)).toEqual(told(open));
    const directories = await Promise.all(
      [`ldaps://127.0.0.1:${host.port}`, "ldaps://127.0.0.1:1", "ldaps://no-such-host.invalid"].map((url) =>
        rehearse(ldap(url)),
      ),
    );
    for (const other of directories) expect(other).toEqual(directories[0] ?? []);
    await host.stop();
  });

  /** Guard: protocol/oauth/client-metadata-members.ts, webAddressProblem, for every address of a configuration. */
  it.each([
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:application/json,{}",
    "http://169.254.169.254/latest",
    "https://user:password@idp.example.com",
    "//evil.example",
    "https://idp.example.com/#fragment",
    "https://idp.example.com/\r\nHost: evil",
  ])("are none like %p", async (address) => {
    for (const member of [
      "issuer",
      "authorization_endpoint",
      "token_endpoint",
      "jwks_uri",
      "userinfo_endpoint",
      "revocation_endpoint",
    ]) {
      const body = { key: `odd-${++counter}`, ...openid("https://idp.example.com", { [member]: address }) };
      const answer = await call<{ details?: { field: string }[] }>("POST", "/connections", body);
      expect(answer.status).toBe(422);
      expect(answer.body.details?.map(({ field }) => field)).toContain(`config.${member}`);
      expect(JSON.stringify(answer.body)).not.toContain("evil");
    }
  });
});

describe("secrets of a connection", () => {
  /** Guard: api/native/admin/connection-models.ts tells their names; domain/connections/administration.ts records no more. */
  it("are in no answer, no audit event and no export", async () => {
    const secret = "never-to-be-seen-again";
    const body = { ...openid("https://127.0.0.1:1"), secrets: { client_secret: secret }, key: "sealed" };
    const made = await call<{ id: string }>("POST", "/connections", body);
    const path = `/connections/${made.body.id}`;
    const answers = [
      made,
      await call("GET", path),
      await call("GET", "/connections?limit=100"),
      await call("PATCH", path, { secrets: { client_secret: secret } }),
      await call("PATCH", path, { secrets: { client_secret: secret, other: secret } }),
      await call("POST", `${path}/test`),
      await call("GET", "/audit-events?limit=100"),
      await call("GET", `/organizations/${server.tenant.id}/export`),
    ];
    for (const answer of answers) expect(JSON.stringify(answer.body)).not.toContain(secret);
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 422, 200, 200, 200]);
  });
});
