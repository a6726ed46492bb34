/** Rehearsals: what is found out about a connection before anybody signs in by it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { createConnection } from "../../../src/domain/connections/administration.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { probeConnection } from "../../../src/domain/connections/probe/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { caller, administratorsToken } from "../../api/native/admin/support.ts";
import { connectDirectory } from "../../support/directory/connection.ts";
import { CERTIFICATE, startFakeDirectory } from "../../support/directory/fake.ts";
import { company, readerEntry } from "../../support/directory/people.ts";
import { connectOauth2, connectOidc, newKey, upstreamsAllowed } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
let admin: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  admin = caller(server.url, await administratorsToken(server));
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(() => {
  upstream.behaviour.metadata = (metadata) => metadata;
});

/** What came out, by check. */
async function probe(connection: Connection): Promise<Record<string, string>> {
  const findings = await probeConnection(server.deps, connection, server.url);
  return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
}
const messageOf = async (connection: Connection, check: string) =>
  (await probeConnection(server.deps, connection, server.url)).find((finding) => finding.check === check)
    ?.message;

describe("an OpenID provider", () => {
  it("that is as it should be is found so", async () => {
    const connection = await connectOidc(server, upstream);
    expect(await probe(connection)).toEqual({
      configuration: "ok",
      redirect_uri: "ok",
      discovery: "ok",
      issuer: "ok",
      authorization_endpoint: "ok",
      token_endpoint: "ok",
      jwks: "ok",
    });
    expect(await messageOf(connection, "redirect_uri")).toContain(
      `${server.url}/oauth/social/${connection.key}/callback`,
    );
  });

  it.each<[string, (metadata: Record<string, unknown>) => Record<string, unknown>, Record<string, string>]>([
    ["names another issuer", (found) => ({ ...found, issuer: "https://evil.example" }), { issuer: "failed" }],
    ["names no token endpoint", (found) => ({ ...found, token_endpoint: 7 }), { token_endpoint: "failed" }],
    ["has no keys", (found) => ({ ...found, jwks_uri: `${upstream.url}/userinfo` }), { jwks: "failed" }],
    ["names no keys", (found) => ({ ...found, jwks_uri: undefined }), { jwks: "failed" }],
    [
      "signs by other algorithms",
      (found) => ({ ...found, id_token_signing_alg_values_supported: ["HS256"] }),
      { id_token_signed_response_alg: "failed" },
    ],
    [
      "takes no S256",
      (found) => ({ ...found, code_challenge_methods_supported: ["plain"] }),
      { pkce: "warning" },
    ],
    [
      "authenticates us otherwise",
      (found) => ({ ...found, token_endpoint_auth_methods_supported: ["private_key_jwt"] }),
      { token_endpoint_auth_method: "warning" },
    ],
  ])("that %s is found so", async (_, bend, expected) => {
    upstream.behaviour.metadata = bend;
    expect(await probe(await connectOidc(server, upstream))).toMatchObject(expected);
  });

  it("of many directories is one by its template", async () => {
    const template = "https://login.example.com/{tenantid}/v2.0";
    upstream.behaviour.metadata = (metadata) => ({ ...metadata, issuer: template });
    const connection = await connectOidc(server, upstream, { config: { issuer_template: template } });
    expect(await probe(connection)).toMatchObject({ issuer: "ok" });
  });

  it("that is switched off is said to be", async () => {
    const connection = await connectOidc(server, upstream, { enabled: false, secrets: {} });
    expect(await probe(connection)).toMatchObject({ enabled: "warning", configuration: "failed" });
  });
});

describe("an OAuth server", () => {
  it("is asked whether anybody is there", async () => {
    expect(await probe(await connectOauth2(server, upstream))).toMatchObject({
      token_endpoint: "ok",
      userinfo_endpoint: "ok",
      emails_endpoint: "ok",
    });
    const gone = await connectOauth2(server, upstream, {
      config: { userinfo_endpoint: "http://localhost:1/userinfo" },
    });
    expect(await probe(gone)).toMatchObject({ token_endpoint: "ok", userinfo_endpoint: "failed" });
  });
});

describe("a SAML identity provider", () => {
  const connect = async (config: Record<string, unknown> = {}) => {
    const by = { actor: { type: "system" }, context: systemContext, superAdmin: true } as const;
    const known = {
      idp_entity_id: "https://idp.example.com/metadata",
      sso_url: "https://idp.example.com/sso",
      certificates: [CERTIFICATE],
    };
    const input = { kind: "saml", key: newKey(), config: { ...known, ...config } };
    return (await createConnection(server.deps, server.tenant.id, input, by)).connection;
  };

  it("has certificates that are told of before they expire", async () => {
    expect(await probe(await connect())).toMatchObject({ certificate: "ok", acs_url: "ok" });
    const { clock } = server;
    // It is good for a hundred years.
    const later = (years: number) => ({ ...clock, now: () => new Date(Date.UTC(2026 + years, 9, 15)) });
    const at = async (years: number) => {
      const findings = await probeConnection(
        { ...server.deps, clock: later(years) },
        await connect(),
        server.url,
      );
      return findings.find(({ check }) => check === "certificate")?.status;
    };
    expect(await at(-20)).toBe("failed");
    expect(await at(100)).toBe("warning");
    expect(await at(101)).toBe("failed");
  });

  it("has metadata that is read as metadata, or said not to be", async () => {
    expect(await probe(await connect({ metadata_url: `${upstream.url}/userinfo` }))).toMatchObject({
      metadata: "failed",
    });
  });
});

describe("a directory", () => {
  it("is asked whether it lets us in, and has anybody", async () => {
    const directory = await startFakeDirectory([...company, readerEntry]);
    const connect = (config: Record<string, unknown> = {}) =>
      connectDirectory(server.deps, server.tenant.id, admin, { url: directory.url, ...config });
    expect(await probe(await connect())).toEqual({
      configuration: "ok",
      connect: "ok",
      bind: "ok",
      search: "ok",
      tls: "warning",
    });
    expect(await probe(await connect({ bind_dn: "cn=other,dc=x" }))).toMatchObject({ bind: "failed" });
    expect(await probe(await connect({ subject_attribute: "objectGUID" }))).toMatchObject({
      search: "warning",
    });
    await directory.stop();
    expect(await probe(await connect())).toMatchObject({ connect: "failed" });
  });
});

describe("POST /api/v1/admin/connections/{id}/test", () => {
  it("answers 200 with what was found, whatever that is", async () => {
    const { id } = await connectOidc(server, { url: "https://127.0.0.1" });
    const { status, body } = await admin<{ findings: { check: string; status: string; message: string }[] }>(
      "POST",
      `/connections/${id}/test`,
    );
    expect(status).toBe(200);
    expect(body.findings).toContainEqual(expect.objectContaining({ check: "discovery", status: "failed" }));
  });
});
