/** `/api/v1/admin/connections`: making, listing and describing connections. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { connectionSecrets, findConnection } from "../../../../src/domain/connections/service.ts";
import { createOrganization } from "../../../../src/domain/organizations/service.ts";
import { systemContext } from "../../../../src/domain/request-context.ts";
import { createOtherTenant, type OtherTenant } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { type Answer, auditOf, caller, newAdministrator } from "./support.ts";

const PEM = await Bun.file(`${import.meta.dir}/../../../support/directory/certificate.pem`).text();
const COLLECTION = "/connections";

let server: TestServer;
let mine: OtherTenant;
let call: ReturnType<typeof caller>;
let theirs: ReturnType<typeof caller>;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
  mine = await createOtherTenant(server, "mine");
  call = caller(mine.base, (await newAdministrator(server, mine)).token);
  const other = await createOtherTenant(server, "other");
  theirs = caller(other.base, (await newAdministrator(server, other)).token);
});
afterAll(() => server.stop());

interface Shown {
  id: string;
  key: string;
  config: Record<string, unknown>;
  secrets: string[];
  [member: string]: unknown;
}
interface Problem {
  error: string;
  details?: { field: string; message: string }[];
}

const openid = (more: Record<string, unknown> = {}) => ({
  kind: "oidc",
  key: `idp-${++counter}`,
  name: "Example",
  config: { issuer: "https://idp.example.com", client_id: "gatewright" },
  secrets: { client_secret: "t0p-s3cret" },
  ...more,
});
const create = async (body: unknown) => (await call<Shown>("POST", COLLECTION, body)).body;
const fieldsOf = ({ body }: Answer<Problem>) => body.details?.map(({ field }) => field).toSorted();

describe("POST /api/v1/admin/connections", () => {
  it("makes one from a preset, of which only the credentials have to be said", async () => {
    const { status, body } = await call<Shown>("POST", COLLECTION, {
      preset: "google",
      config: { client_id: "123.apps.example" },
      secrets: { client_secret: "g00gle-s3cret" },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      preset: "google",
      kind: "oidc",
      key: "google",
      name: "Google",
      organization_id: null,
      enabled: true,
      trust_emails: "if_verified",
      link_policy: "verified_email",
      config: { issuer: "https://accounts.google.com", client_id: "123.apps.example", discovery: true },
      secrets: ["client_secret"],
      redirect_uri: `${mine.base}/oauth/social/google/callback`,
    });
    expect(JSON.stringify(body)).not.toContain("g00gle-s3cret");
  });

  it("makes one of each kind by hand, and says what the other side has to know", async () => {
    const oauth2 = await create({
      kind: "oauth2",
      key: "crm",
      config: {
        authorization_endpoint: "https://crm.example.com/authorize",
        token_endpoint: "https://crm.example.com/token",
        userinfo_endpoint: "https://crm.example.com/me",
        client_id: "gatewright",
      },
      secrets: { client_secret: "x" },
    });
    expect(oauth2).toMatchObject({
      redirect_uri: `${mine.base}/oauth/social/crm/callback`,
      trust_emails: "never",
      config: { userinfo_method: "GET", userinfo_auth: "header", pkce: true },
    });
    const saml = await create({
      kind: "saml",
      key: "company",
      config: {
        idp_entity_id: "https://idp.example.com/metadata",
        sso_url: "https://idp.example.com/sso",
        certificates: [PEM],
      },
    });
    expect(saml).toMatchObject({
      acs_url: `${mine.base}/saml/${saml.id}/acs`,
      entity_id: `${mine.base}/saml/${saml.id}/metadata`,
      metadata_url: `${mine.base}/saml/${saml.id}/metadata`,
      config: { allow_idp_initiated: false, sign_authn_requests: true },
    });
    expect(saml["redirect_uri"]).toBeUndefined();
    const ldap = await create({
      kind: "ldap",
      key: "directory",
      config: {
        url: "ldaps://ldap.example.com",
        bind_dn: "cn=reader,dc=example,dc=com",
        base_dn: "ou=people,dc=example,dc=com",
      },
      secrets: { bind_password: "x" },
    });
    expect(ldap).toMatchObject({ kind: "ldap", config: { subject_attribute: "entryUUID", group_roles: {} } });
  });

  it("keeps secrets sealed, for the server alone to open", async () => {
    const { id } = await create(openid());
    const found = await findConnection(server.deps, mine.tenant.id, id);
    if (!found) throw new Error("it is not there");
    expect(await connectionSecrets(server.deps, found)).toEqual({ client_secret: "t0p-s3cret" });
    const rows = await server.deps.db.execute(
      `select encode(sealed_secrets, 'escape') as sealed, config from connections`,
    );
    expect(JSON.stringify(rows)).not.toContain("t0p-s3cret");
    expect(JSON.stringify(await auditOf(server, id))).not.toContain("t0p-s3cret");
  });

  it("takes domains in any spelling, in ASCII and once", async () => {
    const { domains } = await create(openid({ domains: ["BÜCHER.example", "Example.ORG.", "example.org"] }));
    expect(domains).toEqual(["example.org", "xn--bcher-kva.example"]);
  });

  it("belongs to an organization of the tenant", async () => {
    const by = { actor: { type: "system" }, context: systemContext } as const;
    const { id } = await createOrganization(server.deps, mine.tenant.id, { slug: "acme", name: "Acme" }, by);
    expect(await create(openid({ organization_id: id }))).toMatchObject({ organization_id: id });
    const foreign = await createOrganization(
      server.deps,
      server.tenant.id,
      { slug: "acme", name: "Acme" },
      by,
    );
    for (const organization_id of [foreign.id, "org_nobody", "acme"]) {
      const answer = await call<Problem>("POST", COLLECTION, openid({ organization_id }));
      expect(answer.status).toBe(422);
      expect(fieldsOf(answer)).toEqual(["organization_id"]);
    }
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ["no kind", { kind: undefined }, ["kind"]],
    ["an unknown kind", { kind: "radius" }, ["kind"]],
    ["an unknown preset", { preset: "myspace" }, ["preset"]],
    ["another kind than the preset's", { preset: "google", kind: "saml" }, ["kind"]],
    ["a key that cannot stand in an address", { key: "a/../b" }, ["key"]],
    ["an empty name", { name: " " }, ["name"]],
    ["an unknown policy", { link_policy: "always" }, ["link_policy"]],
    ["an unknown trust", { trust_emails: "everything" }, ["trust_emails"]],
    ["an attribute that there is not", { attribute_mapping: { roles: "{{ r }}" } }, ["attribute_mapping"]],
    ["a template that is none", { attribute_mapping: { email: "{{ mail" } }, ["attribute_mapping.email"]],
    ["a domain that is none", { domains: ["localhost"] }, ["domains"]],
    ["own domains without any", { trust_emails: "own_domains" }, ["domains"]],
    ["everybody's mail as one's own", { trust_emails: "own_domains", domains: ["GMail.com"] }, ["domains"]],
    ["a role that there is not", { default_role: "wizard" }, ["default_role"]],
    ["a role that administers", { default_role: "admin" }, ["default_role"]],
    ["no configuration", { config: {} }, ["config.client_id", "config.issuer"]],
    ["an unknown member", { config: { issuer: "https://i.example", client_id: "c", x: 1 } }, ["config"]],
    [
      "addresses that are none",
      { config: { issuer: "javascript:alert(1)", client_id: "c", token_endpoint: "http://i.example" } },
      ["config.issuer", "config.token_endpoint"],
    ],
    [
      "an issuer with a query",
      { config: { issuer: "https://i.example/?a", client_id: "c" } },
      ["config.issuer"],
    ],
    [
      "no endpoints without discovery",
      { config: { issuer: "https://i.example", client_id: "c", discovery: false } },
      ["config.authorization_endpoint", "config.jwks_uri", "config.token_endpoint"],
    ],
    [
      "no openid",
      { config: { issuer: "https://i.example", client_id: "c", scopes: ["email"] } },
      ["config.scopes"],
    ],
    ["no secret", { secrets: {} }, ["secrets.client_secret"]],
    ["an unknown secret", { secrets: { client_secret: "a", pin: "b" } }, ["secrets"]],
  ])("refuses %s, and names the field", async (_, change, fields) => {
    const answer = await call<Problem>("POST", COLLECTION, openid(change));
    expect(answer.status).toBe(422);
    expect(fieldsOf(answer)).toEqual(fields);
  });

  it("asks what Apple needs: a team, a key's id, and the key", async () => {
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
    ]);
    const encoded = Buffer.from(await crypto.subtle.exportKey("pkcs8", privateKey)).toString("base64");
    const pem = `-----BEGIN PRIVATE KEY-----\n${encoded}\n-----END PRIVATE KEY-----\n`;
    const bare = { preset: "apple", config: { client_id: "com.example.app" } };
    const answer = await call<Problem>("POST", COLLECTION, bare);
    expect(fieldsOf(answer)).toContain("config.team_id");
    const config = { ...bare.config, team_id: "TEAM", key_id: "KEY" };
    const wrong = { preset: "apple", config, secrets: { private_key: "no key" } };
    expect(fieldsOf(await call<Problem>("POST", COLLECTION, wrong))).toEqual(["secrets.private_key"]);
    expect(await create({ preset: "apple", config, secrets: { private_key: pem } })).toMatchObject({
      key: "apple",
      config: { response_mode: "form_post" },
      secrets: ["private_key"],
    });
  });

  it("has each key once, and each domain at one connection", async () => {
    const first = openid({ domains: ["once.example"] });
    await create(first);
    expect((await call("POST", COLLECTION, openid({ key: first.key }))).status).toBe(409);
    expect((await call("POST", COLLECTION, openid({ domains: ["ONCE.example"] }))).status).toBe(409);
    // Elsewhere both are free.
    expect((await theirs("POST", COLLECTION, first)).status).toBe(201);
  });

  it("of a directory refuses passwords in the clear, unlike what is for developers", async () => {
    const ldap = (config: Record<string, unknown>) =>
      call<Problem>("POST", COLLECTION, {
        kind: "ldap",
        key: `dir-${++counter}`,
        config: { bind_dn: "cn=r,dc=x", base_dn: "dc=x", ...config },
        secrets: { bind_password: "x" },
      });
    expect((await ldap({ url: "ldap://ldap.example.com", start_tls: true })).status).toBe(201);
    expect(fieldsOf(await ldap({ url: "ldaps://ldap.example.com", start_tls: true }))).toEqual([
      "config.start_tls",
    ]);
    expect(fieldsOf(await ldap({ url: "http://ldap.example.com" }))).toEqual(["config.url"]);
    expect(fieldsOf(await ldap({ url: "ldaps://l.example.com", bind_dn: "reader" }))).toEqual([
      "config.bind_dn",
    ]);
    expect(fieldsOf(await ldap({ url: "ldaps://l.example.com", user_filter: "(uid=*)" }))).toEqual([
      "config.user_filter",
    ]);
    const admins = { group_roles: { "cn=all,dc=x": ["super_admin"] } };
    expect(fieldsOf(await ldap({ url: "ldaps://l.example.com", ...admins }))).toEqual(["config.group_roles"]);
  });
});

describe("GET /api/v1/admin/connections", () => {
  it("lists them by pages, and by kind, organization and whether they are on", async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = cursor === undefined ? "" : `&cursor=${cursor}`;
      const { body } = await call<{ data: Shown[]; pagination: { next_cursor?: string } }>(
        "GET",
        `${COLLECTION}?limit=3${page}`,
      );
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.pagination.next_cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(6);
    const of = async (query: string) =>
      (await call<{ data: Shown[] }>("GET", `${COLLECTION}?limit=100&${query}`)).body.data;
    expect(new Set((await of("kind=ldap")).map(({ kind }) => kind))).toEqual(new Set(["ldap"]));
    expect(await of("enabled=false")).toEqual([]);
    expect((await of("enabled=true")).length).toBe(seen.length);
    expect(await of("organization_id=org_nobody")).toEqual([]);
    expect((await call("GET", `${COLLECTION}?kind=radius`)).status).toBe(400);
    expect((await call("GET", `${COLLECTION}?enabled=perhaps`)).status).toBe(400);
  });

  it("tells what connections can be made from", async () => {
    const { body } = await call<{ data: { preset: string; required: string[] }[] }>(
      "GET",
      "/connection-presets",
    );
    expect(body.data.map(({ preset }) => preset)).toEqual(
      "google github apple microsoft discord facebook linkedin x gitlab slack".split(" "),
    );
  });
});
