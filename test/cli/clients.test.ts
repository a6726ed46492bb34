/** gatewright clients, registration-tokens, trusted-issuers and tenants configure, on a real database. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { runCommandLine } from "../support/command-line.ts";
import { scratchDirectory } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

interface Shown extends Record<string, unknown> {
  id: string;
  client_id: string;
  client_secret?: string;
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

function run(...args: string[]) {
  return runCommandLine(args, {
    NODE_ENV: "test",
    DATABASE_URL: server.config.databaseUrl,
    PUBLIC_URL: server.url,
    GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
  });
}

/** What a command prints, a line of JSON each. */
async function lines<Line = Shown>(...args: string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}
async function line<Line = Shown>(...args: string[]): Promise<Line> {
  const [only] = await lines<Line>(...args);
  if (!only) throw new Error("nothing was printed");
  return only;
}
async function refusal(...args: string[]): Promise<string> {
  const { code, stderr } = await run(...args);
  expect(code).toBe(1);
  return stderr.trim();
}

const redirect = ["--redirect-uri", "https://shop.example/cb"];

describe("gatewright clients", () => {
  it("creates, shows, changes and deletes a client", async () => {
    const made = await line(
      "clients",
      "create",
      "--name",
      "Shop",
      ...redirect,
      "--scope=openid",
      "--scope=email",
      "--json",
    );
    expect(made).toMatchObject({
      issuer: server.url,
      redirect_uris: ["https://shop.example/cb"],
      grant_types: ["authorization_code", "refresh_token"],
      scopes: ["openid", "email"],
    });
    expect(made.client_secret).toStartWith("csec_");
    const { issuer: _issuer, client_secret: _secret, ...shown } = made;
    expect(await line("clients", "show", made.client_id)).toEqual(shown);

    const changed = await line(
      ...[
        "clients",
        "update",
        made.client_id,
        "--name=Store",
        "--access-token-lifetime",
        "300",
        "--resource=urn:a",
      ],
      ...["--resource=urn:b", "--first-party", "--dpop-bound-access-tokens"],
    );
    expect(changed).toMatchObject({
      name: "Store",
      redirect_uris: ["https://shop.example/cb"],
      access_token_lifetime: 300,
      resources: ["urn:a", "urn:b"],
      first_party: true,
      dpop_bound_access_tokens: true,
    });
    const unset = await line("clients", "update", made.id, "--unset=resources", "--no-first-party");
    expect(unset).toMatchObject({ name: "Store", first_party: false, access_token_lifetime: 300 });
    expect(unset).not.toHaveProperty("resources");

    const rotated = await line("clients", "rotate-secret", made.client_id, "--overlap", "60");
    expect(rotated.client_secret).not.toBe(made.client_secret);
    expect(await line<object>("clients", "delete", made.client_id)).toEqual({ deleted: made.client_id });
    expect(await refusal("clients", "show", made.client_id)).toBe("gatewright: there is no such client");
  });

  it("reads keys from a file", async () => {
    using scratch = scratchDirectory();
    const file = `${scratch.path}/jwks.json`;
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    await Bun.write(file, JSON.stringify({ keys: [await crypto.subtle.exportKey("jwk", pair.publicKey)] }));
    const options = [...redirect, "--token-endpoint-auth-method=private_key_jwt", "--json"];
    const made = await line("clients", "create", "--name", "Keys", ...options, "--jwks", file);
    expect(made).toMatchObject({
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ kty: "EC" }] },
    });
    expect(made).not.toHaveProperty("client_secret");
    expect(await refusal("clients", "create", "--name", "Keys", ...options, "--jwks", `${file}.none`)).toBe(
      "gatewright: --jwks must name a file that holds JSON",
    );
  });

  it("lists them all, a line each", async () => {
    for (const name of ["List B", "List A"])
      await line("clients", "create", "--name", name, ...redirect, "--json");
    const listed = await lines<{ name: string }>(
      "clients",
      "list",
      "--search=list",
      "--sort=name",
      "--order=asc",
    );
    expect(listed.map(({ name }) => name)).toEqual(["List A", "List B"]);
  });

  it("says what is wrong, in a line", async () => {
    expect(await refusal("clients", "create", "--name", "x", "--redirect-uri=http://shop.example/")).toBe(
      "gatewright: redirect_uris: Each one must use https unless its host is localhost, 127.0.0.1 or [::1].",
    );
    expect(await refusal("clients", "update", "native", "--name=x")).toContain("part of the tenant");
    expect(await refusal("clients", "list", "--sort=secret")).toBe(
      "gatewright: --sort must be created_at or name",
    );
    expect(await refusal("clients", "create", "--name", "x", "--password=y")).toContain(
      "unknown option --password",
    );
  });
});

describe("gatewright registration-tokens", () => {
  it("makes, lists and ends them", async () => {
    const made = await line<{ id: string; token: string }>("registration-tokens", "create", "--uses=2");
    expect(made).toMatchObject({ uses_left: 2, token: expect.stringMatching(/^iat_/) });
    expect(await lines<object>("registration-tokens", "list")).toMatchObject([{ id: made.id, uses_left: 2 }]);
    expect(await line<object>("registration-tokens", "delete", made.id)).toEqual({ deleted: made.id });
    expect(await lines("registration-tokens", "list")).toEqual([]);
    expect(await refusal("registration-tokens", "create", "--uses=0")).toContain(
      "--uses must be a whole number",
    );
  });
});

describe("gatewright trusted-issuers", () => {
  it("makes, changes, lists and ends them", async () => {
    const options = ["--jwks-uri=https://idp.example/jwks", "--subject-kind=email", "--scope=a", "--scope=b"];
    const made = await line<{ id: string }>(
      "trusted-issuers",
      "create",
      "--issuer=https://idp.example",
      ...options,
    );
    expect(made).toMatchObject({ issuer: "https://idp.example", scopes: ["a", "b"], enabled: true });
    const changed = await line<object>("trusted-issuers", "update", made.id, "--no-enabled", "--scope=c");
    expect(changed).toMatchObject({ subject_kind: "email", scopes: ["c"], enabled: false });
    expect(await lines<object>("trusted-issuers", "list")).toEqual([changed]);
    await line<object>("trusted-issuers", "delete", made.id);
    expect(await lines("trusted-issuers", "list")).toEqual([]);
    expect(await refusal("trusted-issuers", "create", "--issuer=x")).toContain(
      "issuer: It must be an https URL",
    );
  });
});

describe("gatewright tenants configure", () => {
  it("changes settings, and shows all of them", async () => {
    const set = [
      "--set",
      "dynamic_registration=token",
      '--set=self_registered_resources=["https://mcp.example/mcp"]',
    ];
    const changes = { dynamic_registration: "token", self_registered_resources: ["https://mcp.example/mcp"] };
    expect(await line<object>("tenants", "configure", ...set)).toMatchObject(changes);
    expect(await line<object>("tenants", "configure")).toMatchObject({
      ...changes,
      access_token_lifetime: 900,
    });
  });

  it("refuses what is no setting, and what is no value of one", async () => {
    expect(await refusal("tenants", "configure", "--set=frobnicate=1")).toBe(
      "gatewright: frobnicate: Is no setting.",
    );
    expect(await refusal("tenants", "configure", "--set=access_token_lifetime=1")).toContain(
      "access_token_lifetime: ",
    );
    expect(await refusal("tenants", "configure", "--set=x")).toBe("gatewright: --set needs name=value");
  });
});
