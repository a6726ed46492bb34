/**
 * The administrators' endpoints for users, organizations, roles and groups, from `contract/admin/*.tsv`: each one called as
 * it is meant to be, and in each way that it is not.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import {
  createApp,
  createOtherTenant,
  login,
  type OtherTenant,
  PASSWORD,
  register,
} from "../attacks/support.ts";
import { linkUser } from "../support/external-accounts.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { administratorsToken, type Answer, caller, newAdministrator } from "./native/admin/support.ts";

interface Row {
  readonly method: string;
  readonly path: string;
}

const PREFIX = "/api/v1/admin";
const folder = `${import.meta.dir}/contract/admin`;
const read = async (file: string): Promise<Row[]> => {
  const [, ...lines] = (await Bun.file(`${folder}/${file}`).text()).trim().split("\n");
  return lines.map((line) => {
    const [method = "", path = ""] = line.split("\t");
    return { method, path };
  });
};
const [reference, own] = [await read("reference.tsv"), await read("own.tsv")];
const rows = [...reference, ...own];

let server: TestServer;
/** Administers every tenant. */
let superAdmin: ReturnType<typeof caller>;
let mine: OtherTenant;
let theirs: OtherTenant;
let ofMine: ReturnType<typeof caller>;
let ofNobody: ReturnType<typeof caller>;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
  await server.configure({ impersonation_enabled: true });
  superAdmin = caller(server.url, await administratorsToken(server));
  [mine, theirs] = [await createOtherTenant(server, "mine"), await createOtherTenant(server, "theirs")];
  ofMine = caller(mine.base, (await newAdministrator(server, mine)).token);
  const nobody = await register(mine.base);
  ofNobody = caller(mine.base, (await login(mine.base, nobody.username)).access_token);
});
afterAll(() => server.stop());

type Kind = "users" | "organizations" | "roles" | "groups" | "clients" | "service-accounts" | "connections";
type Ids = Record<Kind | "external-accounts", string>;

/** One of each kind, made for the occasion. */
async function things(of: OtherTenant, call: ReturnType<typeof caller>): Promise<Ids> {
  const name = `thing${++counter}`;
  const made = async (kind: string) =>
    (await call<{ id: string }>("POST", `/${kind}`, sound(`POST ${PREFIX}/${kind}`, name))).body.id;
  const [users, roles, groups] = [await made("users"), await made("roles"), await made("groups")];
  const { client } = await createApp(server, {}, of);
  const accounts = await made("service-accounts");
  const others = { clients: client.id, organizations: of.tenant.id, "service-accounts": accounts };
  const [connections, linked] = [await made("connections"), await made("connections")];
  const person = { id: users, email: `${name}@example.com` };
  const { id: external } = await linkUser(server, of.tenant, linked, person);
  return { users, roles, groups, connections, "external-accounts": external, ...others };
}

function filled(path: string, ids: Ids): string {
  const kind = path.slice(PREFIX.length + 1).split("/")[0] as keyof Ids;
  const own = path
    .replace("{id}", ids[kind])
    .replace("{user_id}", ids.users)
    .replace("{account_id}", ids["external-accounts"]);
  return own.slice(PREFIX.length);
}

/** A body that the endpoint takes. */
function sound(endpoint: string, name: string): unknown {
  const user = { username: name, email: `${name}@example.com`, password: PASSWORD };
  const bodies: Record<string, unknown> = {
    [`POST ${PREFIX}/users`]: user,
    [`PUT ${PREFIX}/users/{id}`]: { given_name: "Jane" },
    [`POST ${PREFIX}/users/{id}/reset-password`]: { password: `N3w-${PASSWORD}` },
    [`POST ${PREFIX}/users/{id}/impersonate`]: { reason: "Ticket 4711" },
    [`POST ${PREFIX}/service-accounts`]: { name },
    [`PUT ${PREFIX}/service-accounts/{id}`]: { description: "x" },
    [`POST ${PREFIX}/service-accounts/{id}/api-keys`]: { name, scopes: ["users:read"] },
    [`POST ${PREFIX}/organizations`]: { slug: name, name },
    [`PUT ${PREFIX}/organizations/{id}`]: { name },
    [`PUT ${PREFIX}/organizations/{id}/settings`]: { login_page_title: name },
    [`POST ${PREFIX}/organizations/{id}/import`]: { version: 1 },
    [`POST ${PREFIX}/roles`]: { name },
    [`PUT ${PREFIX}/roles/{id}`]: { name: `${name}x` },
    [`PUT ${PREFIX}/clients/{id}/roles`]: { roles: [] },
    [`POST ${PREFIX}/groups`]: { name },
    [`POST ${PREFIX}/connections`]: {
      kind: "oidc",
      key: `${name}-${++counter}`,
      // Nobody is there, and nobody is asked.
      config: { issuer: "https://127.0.0.1:1", client_id: "us" },
      secrets: { client_secret: "secret" },
    },
    [`PATCH ${PREFIX}/connections/{id}`]: { name },
    [`PUT ${PREFIX}/groups/{id}`]: { name },
    [`PUT ${PREFIX}/groups/{id}/roles`]: { roles: ["admin"] },
  };
  return bodies[endpoint];
}

/** One that it does not take, and the field that is to be named. */
function wrong(endpoint: string): [unknown, string] {
  const bodies: Record<string, [unknown, string]> = {
    [`POST ${PREFIX}/users`]: [{ username: "x1y", email: "none" }, "email"],
    [`PUT ${PREFIX}/users/{id}`]: [{ enabled: "perhaps" }, "enabled"],
    [`POST ${PREFIX}/users/{id}/reset-password`]: [{ password: "weak" }, "password"],
    [`POST ${PREFIX}/users/{id}/impersonate`]: [{ reason: "" }, "reason"],
    [`POST ${PREFIX}/service-accounts`]: [{ name: "" }, "name"],
    [`PUT ${PREFIX}/service-accounts/{id}`]: [{ enabled: "perhaps" }, "enabled"],
    [`POST ${PREFIX}/service-accounts/{id}/api-keys`]: [{ name: "x", scopes: ["all"] }, "scopes"],
    [`POST ${PREFIX}/organizations`]: [{ slug: "No Slug", name: "x" }, "slug"],
    [`PUT ${PREFIX}/organizations/{id}`]: [{ name: 1 }, "name"],
    [`PUT ${PREFIX}/organizations/{id}/settings`]: [{ session_lifetime: "long" }, "session_lifetime"],
    [`POST ${PREFIX}/organizations/{id}/import`]: [{ version: 9 }, "version"],
    [`POST ${PREFIX}/roles`]: [{ name: "two words" }, "name"],
    [`PUT ${PREFIX}/roles/{id}`]: [{ name: "x", permissions: "all" }, "permissions"],
    [`PUT ${PREFIX}/clients/{id}/roles`]: [{ roles: ["unheard-of"] }, "roles"],
    [`POST ${PREFIX}/groups`]: [{ name: "" }, "name"],
    [`POST ${PREFIX}/connections`]: [{ kind: "oidc", key: "No Key" }, "key"],
    [`PATCH ${PREFIX}/connections/{id}`]: [{ name: " " }, "name"],
    [`PUT ${PREFIX}/groups/{id}`]: [{}, "name"],
    [`PUT ${PREFIX}/groups/{id}/roles`]: [{ roles: ["unheard-of"] }, "roles"],
  };
  return bodies[endpoint] ?? [undefined, ""];
}

interface Problem {
  error: string;
  error_description: string;
  request_id: string;
  details?: { field: string; message: string }[];
}

const errorOf = ({ status, body, headers }: Answer<Problem>) => {
  expect(body.error_description).toBeString();
  expect(body.request_id).toBe(headers.get("x-request-id") ?? "");
  return [status, body.error];
};

describe("the table", () => {
  it("holds every endpoint that is served for these things, and no other", async () => {
    const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
      paths: Record<string, Record<string, { tags: string[] }>>;
    };
    const ofThese =
      /^\/api\/v1\/admin\/(users|organizations|roles|groups|stats|service-accounts|connections|connection-presets|clients\/\{id\}\/roles)\b/;
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      // Keys by their own ids: test/attacks/api-keys.test.ts. Imports and exports have a table of their own.
      ofThese.test(path) && !path.endsWith("{key_id}") && !/\/users\/(?:im|ex)ports?\b/.test(path)
        ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
        : [],
    );
    expect(served.toSorted()).toEqual(rows.map(({ method, path }) => `${method} ${path}`).toSorted());
    expect(reference.length).toBe(18);
  });
});

describe.each(rows)("$method $path", (row) => {
  const { method, path } = row;
  const endpoint = `${method} ${path}`;
  const body = () => sound(endpoint, `body${++counter}`);
  const anything = method === "GET" ? undefined : { no: "body" };

  it("answers who may call it", async () => {
    const made = await createOtherTenant(server, `own${++counter}`);
    const ids = {
      ...(await things({ tenant: server.tenant, base: server.url }, superAdmin)),
      organizations: made.tenant.id,
    };
    const { status } = await superAdmin(method, filled(path, ids), body());
    const created =
      method === "POST" &&
      /\/(users|organizations|roles|groups|service-accounts|connections|api-keys)$/.test(path);
    const empty = method === "DELETE" || path.endsWith("{user_id}");
    expect(status).toBe(created ? 201 : empty ? 204 : 200);
  });

  it("answers 401 without a token, before it looks at anything", async () => {
    const ids = await things(mine, ofMine);
    const answer = await caller(mine.base, undefined)<Problem>(method, filled(path, ids), anything);
    expect(errorOf(answer)).toEqual([401, "unauthorized"]);
    expect(answer.headers.get("www-authenticate")).toStartWith("Bearer");
  });

  it("answers 403 to who administers nothing, before it looks at the body", async () => {
    const answer = await ofNobody<Problem>(method, filled(path, await things(mine, ofMine)), anything);
    expect(errorOf(answer)).toEqual([403, "forbidden"]);
  });
});

describe.each(rows.filter(({ path }) => path.includes("{")))("$method $path", (row) => {
  const { method, path } = row;

  it("answers 404 for another tenant's, as for nobody's", async () => {
    const own = await things(mine, ofMine);
    const other = await things(theirs, caller(theirs.base, (await newAdministrator(server, theirs)).token));
    const nobodys = Object.fromEntries(
      Object.entries(own).map(([kind, id]) => [kind, `${id.slice(0, -20)}${"0".repeat(20)}`]),
    ) as Ids;
    const none = { users: "x", organizations: "x", roles: "x", groups: "x", clients: "x" };
    const garbage = { ...none, "service-accounts": "x", connections: "x", "external-accounts": "x" };
    for (const ids of [other, nobodys, garbage]) {
      const body = sound(`${method} ${path}`, `body${++counter}`);
      const answer = await ofMine<Problem>(method, filled(path, ids), body);
      expect(errorOf(answer)).toEqual([404, "not_found"]);
      if (!path.includes("{user_id}")) continue;
      const mixed = await ofMine<Problem>(method, filled(path, { ...own, users: ids.users }));
      expect(errorOf(mixed)).toEqual([404, "not_found"]);
    }
  });
});

const withBody = rows.filter(({ method, path }) => sound(`${method} ${path}`, "x") !== undefined);
describe.each(withBody)("$method $path", ({ method, path }) => {
  it("answers 422 and names the wrong field", async () => {
    const [invalid, field] = wrong(`${method} ${path}`);
    const ids = await things({ tenant: server.tenant, base: server.url }, superAdmin);
    const answer = await superAdmin<Problem>(method, filled(path, ids), invalid);
    expect(errorOf(answer)).toEqual([422, "validation_error"]);
    expect(answer.body.details).toEqual([{ field, message: expect.any(String) }]);
  });
});
