/** /api/v1/admin/initial-access-tokens and /api/v1/admin/trusted-issuers. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { findTrustedIssuer } from "../../../../src/domain/trusted-issuers/service.ts";
import { newId } from "../../../../src/lib/ids.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken, auditOf, caller } from "./support.ts";

interface ErrorBody {
  error: string;
  details?: { field: string }[];
}
interface TokenBody {
  id: string;
  token: string;
  uses_left: number;
  expires_at: string;
}
interface IssuerBody {
  id: string;
  issuer: string;
  enabled: boolean;
}

let server: TestServer;
let call: ReturnType<typeof caller>;
beforeAll(async () => {
  server = await startTestServer();
  call = caller(server.url, await administratorsToken(server));
});
afterAll(() => server.stop());

describe("Initial access tokens", () => {
  it("are for one registration within a day unless told", async () => {
    const { status, body } = await call<TokenBody>("POST", "/initial-access-tokens");
    expect(status).toBe(201);
    expect(body).toMatchObject({ uses_left: 1, token: expect.stringMatching(/^iat_/) });
    expect(new Date(body.expires_at).getTime() - server.clock.now().getTime()).toBe(86_400_000);
  });

  it("are shown once, listed and ended", async () => {
    const { body } = await call<TokenBody>("POST", "/initial-access-tokens", { uses: 5, lifetime: 60 });
    const list = await call<{ data: TokenBody[] }>("GET", "/initial-access-tokens");
    expect(list.body.data.map(({ id }) => id)).toContain(body.id);
    expect(JSON.stringify(list.body)).not.toContain(body.token.slice(-20));
    expect((await call("DELETE", `/initial-access-tokens/${body.id}`)).status).toBe(204);
    expect((await call("DELETE", `/initial-access-tokens/${body.id}`)).status).toBe(404);
    const events = await auditOf(server, body.id);
    expect(events.map(({ type }) => type)).toEqual([
      "initial_access_token.created",
      "initial_access_token.deleted",
    ]);
    expect(JSON.stringify(events)).not.toContain(body.token.slice(-20));
  });

  it.each([{ uses: 0 }, { uses: 1001 }, { lifetime: 59 }, { lifetime: 366 * 86_400 }])(
    "are not for %j",
    async (body) => {
      expect((await call("POST", "/initial-access-tokens", body)).status).toBe(422);
    },
  );
});

describe("Trusted issuers", () => {
  const sound = {
    issuer: "https://idp.example",
    jwks_uri: "https://idp.example/jwks",
    subject_kind: "email",
    scopes: ["reports:read"],
  };

  it("are made, found, replaced and deleted", async () => {
    const made = await call<IssuerBody>("POST", "/trusted-issuers", sound);
    expect([made.status, made.body]).toMatchObject([201, { ...sound, jwks: null, enabled: true }]);
    const path = `/trusted-issuers/${made.body.id}`;
    expect((await call<IssuerBody>("GET", path)).body).toEqual(made.body);
    const find = () => findTrustedIssuer(server.deps, server.tenant.id, sound.issuer);
    expect(await find()).toMatchObject({ issuer: sound.issuer, subjectKind: "email" });

    const changed = await call<IssuerBody>("PUT", path, { ...sound, scopes: [], enabled: false });
    expect([changed.status, changed.body]).toMatchObject([200, { scopes: [], enabled: false }]);
    expect(await find()).toBeUndefined();
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
    expect((await call("PUT", path, sound)).status).toBe(404);
    expect((await call("DELETE", path)).status).toBe(404);
    const events = await auditOf(server, made.body.id);
    expect(events.map(({ type }) => type)).toEqual([
      "trusted_issuer.created",
      "trusted_issuer.updated",
      "trusted_issuer.deleted",
    ]);
  });

  it("are trusted once", async () => {
    const other = { ...sound, issuer: "https://other.example" };
    expect((await call("POST", "/trusted-issuers", other)).status).toBe(201);
    expect((await call("POST", "/trusted-issuers", other)).status).toBe(409);
    const list = await call<{ data: IssuerBody[] }>("GET", "/trusted-issuers?limit=1");
    expect(list.body.data.map(({ issuer }) => issuer)).toEqual([other.issuer]);
  });

  it.each([
    ["issuer", { issuer: "idp.example" }],
    ["issuer", { issuer: "http://idp.example" }],
    ["jwks", { jwks_uri: null }],
    ["jwks", { jwks: { keys: [{ kty: "oct", k: "x" }] }, jwks_uri: null }],
    ["jwks", { jwks: { keys: [] } }],
    ["jwks_uri", { jwks_uri: "file:///etc/passwd" }],
    ["subject_kind", { subject_kind: "name" }],
    ["scopes", { scopes: ["a b"] }],
  ])("are refused for a wrong %s: %j", async (field, changes) => {
    const { status, body } = await call<ErrorBody>("POST", "/trusted-issuers", { ...sound, ...changes });
    expect([status, body.details?.map((one) => one.field)]).toEqual([422, [field]]);
  });

  it("are nobody's when the id is none", async () => {
    for (const id of ["x", newId("client"), newId("trustedIssuer")])
      expect((await call("GET", `/trusted-issuers/${id}`)).status).toBe(404);
  });
});
