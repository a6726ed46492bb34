/**
 * Whatever is sent to whatever route, the answer is one that the route documents, and holds neither a stack nor
 * anything that was sent. The requests are made from the routes themselves, so that no new route is forgotten.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { startTestServer, type TestServer } from "../support/server.ts";
import {
  createJudge,
  HARMFUL,
  looseFields,
  MARKER,
  type Route,
  routesOf,
  texts,
  values,
} from "./bad-input-fixture.ts";

let server: TestServer;
let routes: Route[];
beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_METRICS_TOKEN: "a-token-of-the-tests" } });
  routes = await routesOf(server);
});
afterAll(() => server.stop());

/** Pages that show what was typed into their own form again. */
const showsAgain = new Set([
  "POST /signin",
  "POST /signup",
  "POST /signup/passkey",
  "POST /signup/passkey/create",
  "POST /signup/resend",
  "POST /recover",
  "POST /signin/code",
  "POST /signin/code/verify",
  "POST /signin/magic-link",
]);

/** Values that are fine, so that a bad one beside them reaches further than the first check. */
const fine: Record<string, string> = {
  username: "fine.name",
  email: "fine@example.com",
  password: "SecureP@ssw0rd!",
  new_password: "SecureP@ssw0rd!",
  identifier: "fine",
  token: "fine",
};

function nested(depth: number): unknown {
  let value: unknown = MARKER;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

const json = (body: unknown): RequestInit => ({
  headers: { "content-type": "application/json" },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const form = (
  pairs: readonly (readonly [string, string])[],
  headers: Record<string, string> = {},
): RequestInit => ({
  headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  body: new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString(),
});

const taking = () => routes.filter(({ method }) => method !== "GET");
const takingForms = () => routes.filter(({ method, fields }) => method !== "GET" && fields.length === 0);
const reading = () => routes.filter(({ method }) => method === "GET");

/** A browser's cookie and a form token that belong together, so that a form passes that check. */
async function pageCredentials(): Promise<{ cookie: string; csrf: string }> {
  const page = await fetch(`${server.url}/signin`, { headers: { accept: "text/html" } });
  const html = await page.text();
  const csrf = (/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? "").replace(/.*value="([^"]+)".*/, "$1");
  const cookie = page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  expect([cookie, csrf]).toEqual([expect.stringMatching(/=./), expect.stringMatching(/^[\w-]{86}$/)]);
  return { cookie, csrf };
}

describe("JSON bodies", () => {
  it("of every wrong kind of value in every field", async () => {
    const judge = createJudge(() => server);
    for (const route of taking()) {
      const fields = route.fields.length > 0 ? route.fields : ["email", "password", "token"];
      const good = Object.fromEntries(Object.entries(fine).filter(([name]) => fields.includes(name)));
      for (const [kind, value] of Object.entries(values)) {
        const all = Object.fromEntries(fields.map((field) => [field, value]));
        await judge.send(route, `${kind} everywhere`, json(all));
        for (const field of fields)
          await judge.send(route, `${kind} as ${field}`, json({ ...good, [field]: value }));
      }
    }
    expect(judge.findings()).toEqual([]);
  });

  it("that are no object", async () => {
    const judge = createJudge(() => server);
    const bodies = [
      ...[
        "",
        " ",
        "null",
        "[]",
        "0",
        '""',
        `"${MARKER}"`,
        `[{"${MARKER}":1}]`,
        "{",
        `{"email":"${MARKER}"`,
        MARKER,
      ],
      ...[
        `{"email":"${MARKER}",}`,
        `{'email':'${MARKER}'}`,
        "\ufeff{}",
        JSON.stringify(nested(500)),
        "[".repeat(20_000),
      ],
    ];
    for (const route of taking()) {
      for (const body of bodies) await judge.send(route, body.slice(0, 30), json(body));
    }
    expect(judge.findings()).toEqual([]);
  });

  it("with fields that nobody knows", async () => {
    const judge = createJudge(() => server);
    for (const route of taking()) {
      const good = JSON.stringify(
        Object.fromEntries(route.fields.map((name) => [name, fine[name] ?? "fine"])),
      ).slice(1, -1);
      for (const unknown of ["__proto__", "constructor", "toString", "unknown", MARKER]) {
        const body = `{${good}${good && ","}"${unknown}":"${MARKER}"}`;
        await judge.send(route, `the field ${unknown}`, json(body));
      }
    }
    expect(judge.findings()).toEqual([]);
  });

  it("under another name", async () => {
    const judge = createJudge(() => server);
    const types = [
      ...[
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/html",
        MARKER,
      ],
      ...[
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/octet-stream",
      ],
    ];
    for (const route of taking()) {
      for (const type of types) {
        await judge.send(route, `the type ${type}`, {
          headers: { "content-type": type },
          body: `{"email":"${MARKER}"}`,
        });
      }
    }
    expect(judge.findings()).toEqual([]);
  });

  it("in bytes that are no UTF-8", async () => {
    const judge = createJudge(() => server);
    const body = new Uint8Array([0x7b, 0x22, 0x65, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0xc0, 0x22, 0x7d]);
    for (const route of taking()) {
      await judge.send(route, "bytes", { headers: { "content-type": "application/json" }, body });
    }
    expect(judge.findings()).toEqual([]);
  });
});

describe("forms", () => {
  it("without a token of ours", async () => {
    const judge = createJudge(() => server);
    for (const route of takingForms()) {
      for (const value of [MARKER, HARMFUL, "", `${MARKER}\0`]) {
        await judge.send(route, `a form of ${value}`, form(looseFields.map((name) => [name, value])));
      }
      await judge.send(route, "no body", {});
      await judge.send(route, "broken escapes", { ...form([]), body: `email=%&token=%zz&=${MARKER}&&&` });
      const twice = [...looseFields, ...looseFields].map((name) => [name, MARKER] as const);
      await judge.send(route, "everything twice", form(twice));
    }
    expect(judge.findings()).toEqual([]);
  });

  it("of the hosted pages, with a token: what was typed is shown escaped, or not at all", async () => {
    const judge = createJudge(() => server);
    const { cookie, csrf } = await pageCredentials();
    const headers = { cookie, accept: "text/html" };
    const typed = looseFields.filter((name) => name !== "csrf" && name !== "interaction");
    let shown = 0;
    for (const route of takingForms()) {
      const mayShow = showsAgain.has(`${route.method} ${route.path}`);
      for (const [kind, value] of texts) {
        const pairs = [...typed.map((name) => [name, value] as const), ["csrf", csrf] as const];
        const text = await judge.send(route, `a form of ${kind}`, form(pairs, headers), { mayShow });
        if (mayShow && text.includes(MARKER)) shown++;
      }
    }
    expect(judge.findings()).toEqual([]);
    // The pages that are to show it do: the check above looked at something.
    expect(shown).toBeGreaterThan(4);
  });

  it("never show a password again", async () => {
    const judge = createJudge(() => server);
    const { cookie, csrf } = await pageCredentials();
    for (const route of takingForms()) {
      const pairs = [
        ...["identifier", "username", "email"].map((name) => [name, "jane@example.com"] as const),
        ...["password", "new_password"].map((name) => [name, MARKER] as const),
        ["csrf", csrf] as const,
      ];
      await judge.send(route, "a password", form(pairs, { cookie, accept: "text/html" }));
    }
    expect(judge.findings()).toEqual([]);
  });
});

describe("queries", () => {
  it("of every wrong kind of value, for programs and for browsers", async () => {
    const judge = createJudge(() => server);
    for (const route of reading()) {
      const names = [...new Set([...route.query, ...looseFields])];
      for (const [kind, value] of texts) {
        const query = `?${new URLSearchParams(names.map((name) => [name, value.slice(0, 400)]))}`;
        for (const accept of ["application/json", "text/html"]) {
          await judge.send(
            route,
            `a query of ${kind}`,
            { headers: { accept } },
            { query, mayShow: accept === "text/html" },
          );
        }
      }
    }
    expect(judge.findings()).toEqual([]);
  });

  it("with names twice, broken escapes or lists", async () => {
    const judge = createJudge(() => server);
    const queries = [
      ...[
        `?token=${MARKER}&token=${MARKER}`,
        "?token=%",
        "?token=%ff%fe",
        `?token[]=${MARKER}&token[a]=${MARKER}`,
      ],
      ...["?&&=&", `?limit=${MARKER}`, "?limit=-1", "?limit=1e9", "?limit=0x10"],
    ];
    for (const route of reading()) {
      for (const query of queries)
        await judge.send(route, query, { headers: { accept: "application/json" } }, { query });
    }
    expect(judge.findings()).toEqual([]);
  });
});

describe("headers", () => {
  it("of every wrong kind", async () => {
    const judge = createJudge(() => server);
    const headers: Record<string, string>[] = [
      { authorization: `Bearer ${MARKER}` },
      { authorization: `Basic ${MARKER}` },
      { authorization: `Basic ${btoa(`${MARKER}:${MARKER}`)}` },
      { authorization: MARKER },
      { cookie: `__Host-gw_session=${MARKER}; __Host-gw_browser=${MARKER}; ${MARKER}=${MARKER}` },
      { cookie: `=;;;__Host-gw_session=sess_${MARKER}_${MARKER}` },
      { origin: `https://${MARKER}.example` },
      { "accept-language": `${MARKER};q=${MARKER}` },
      { "user-agent": HARMFUL },
      { "x-forwarded-for": MARKER },
      { "x-org-context": MARKER },
      { "x-ovlt-tenant-slug": MARKER },
      { "x-ovlt-tenant-id": MARKER },
      { "if-none-match": MARKER },
    ];
    for (const route of routes) {
      for (const header of headers) await judge.send(route, JSON.stringify(header), { headers: header });
    }
    expect(judge.findings()).toEqual([]);
  });
});
