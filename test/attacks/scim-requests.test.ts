/** Requests to the SCIM surface that are made to break it: paths, filters, sizes. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { addOrganization, type ScimClient, scimClient } from "../conformance/scim/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { rawRequest } from "./support.ts";

let server: TestServer;
let ofOne: ScimClient;
let ofTwo: ScimClient;

beforeAll(async () => {
  server = await startTestServer();
  ofOne = await scimClient(server, { organization: await addOrganization(server, "one") });
  ofTwo = await scimClient(server, { organization: await addOrganization(server, "two") });
});
afterAll(() => server.stop());

let counter = 0;
async function make(client: ScimClient) {
  const userName = `q${++counter}`;
  const { status, body } = await client.post("/Users", {
    userName,
    emails: [{ value: `${userName}@example.com` }],
  });
  expect(status).toBe(201);
  return body;
}

describe("paths and filters", () => {
  it("are no way around, however they are encoded", async () => {
    const theirs = await make(ofTwo);
    for (const id of [
      `..%2fUsers%2f${theirs.id}`,
      `${theirs.id}%00`,
      `%75${theirs.id.slice(1)}`,
      `${theirs.id}%2f`,
      `${theirs.id};x=1`,
      `${theirs.id}%3fattributes=id`,
      `%2e%2e/Users/${theirs.id}`,
      encodeURIComponent(`' or '1'='1`),
      `${theirs.id.toLowerCase()}`,
      "%F0%9F%92%A9",
    ]) {
      const { status } = await ofOne.get(`/Users/${id}`);
      expect([id, status]).toEqual([id, 404]);
    }
  });

  /** Guard: every value of a filter is a bound parameter (domain/scim-filters/repo.ts). */
  it("inject nothing", async () => {
    const mine = await make(ofOne);
    for (const value of [
      "' or 1=1 --",
      '" or userName pr or "',
      "'); drop table users; --",
      "\\",
      "%",
      "$1",
    ]) {
      const filter = `userName eq ${JSON.stringify(value)} or displayName co ${JSON.stringify(value)} or title sw ${JSON.stringify(value)}`;
      const { status, body } = await ofOne.post("/Users/.search", { filter });
      expect([value, status, body.totalResults]).toEqual([value, 200, 0]);
    }
    for (const sortBy of ["userName; drop table users", "id desc", "(select 1)", "password"]) {
      expect((await ofOne.post("/Users/.search", { sortBy })).status).toBe(400);
    }
    expect((await ofOne.get(`/Users/${mine.id}`)).status).toBe(200);
  });

  /** Guard: protocol/scim/filter.ts, MOST_CHARACTERS, MOST_DEPTH, MOST_COMPARISONS; protocol/scim/bulk.ts; the server's body limit. */
  it("that are pathological are refused at once", async () => {
    const filters = [
      `${"(".repeat(3000)}userName pr${")".repeat(3000)}`,
      Array.from({ length: 300 }, () => 'userName eq "a"').join(" or "),
      `userName eq "${"\\\\".repeat(9000)}"`,
    ];
    for (const filter of filters) {
      const begun = performance.now();
      const { status, body } = await ofOne.post("/Users/.search", { filter });
      expect([status, body.scimType]).toEqual([400, "invalidFilter"]);
      expect(performance.now() - begun).toBeLessThan(10_000);
    }
    const operation = { method: "DELETE", path: "/Users/x" };
    const bulk = await ofOne.post("/Bulk", { Operations: Array.from({ length: 1001 }, () => operation) });
    expect(bulk.status).toBe(413);
  });

  /** Guard: protocol/scim/filter.ts and resource.ts, what the database cannot hold: NUL, lone surrogates, years of none. */
  it("that the database cannot read are refused, and not its error", async () => {
    for (const filter of [
      'userName eq "\\u0000"',
      'displayName co "a\\ud800"',
      'meta.created gt "+100000-01-01T00:00:00Z"',
      'meta.created gt "0000-01-01T00:00:00Z"',
      'meta.created gt "0001-01-01T00:00:00+14:00"',
      'meta.created gt "2020"',
      "emails.primary gt 1e999",
    ]) {
      const { status, body } = await ofOne.post("/Users/.search", { filter });
      expect([filter, status, body.scimType]).toEqual([filter, 400, "invalidFilter"]);
    }
  });
});

/** RFC 7644 §3.7.4, CWE-770. */
describe("an oversize body", () => {
  const padded = (bytes: number) => {
    const text = JSON.stringify({ Operations: [], padding: "" });
    return text.replace('""', `"${"x".repeat(bytes - text.length)}"`);
  };
  /** The status of a request that does not say how long it is. */
  const chunked = async (path: string, text: string): Promise<number> => {
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: ${new URL(server.url).host}`,
      "Content-Type: application/json",
      "Transfer-Encoding: chunked",
      "Connection: close",
    ];
    const chunks = (text.match(/.{1,60000}/gs) ?? []).map(
      (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
    );
    const answer = await rawRequest(server, [...head, "", `${chunks.join("")}0\r\n\r\n`].join("\r\n"));
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  };

  it("is read up to what ServiceProviderConfig says, and no further", async () => {
    const { body } = await ofOne.get("/ServiceProviderConfig");
    const { maxPayloadSize } = body["bulk"] as { maxPayloadSize: number };
    expect((await ofOne.send("POST", "/Bulk", padded(maxPayloadSize))).status).toBe(200);
    const more = await fetch(`${server.url}/scim/v2/Bulk`, {
      method: "POST",
      headers: { authorization: `Bearer ${ofOne.token}` },
      body: padded(maxPayloadSize + 1),
    });
    expect(more.status).toBe(413);
  });

  /** Guard: http/body-limit.ts, which gives the larger limit to SCIM alone, with a length or in chunks. */
  it("is not read by any other route, nor by one that only looks like SCIM", async () => {
    const text = padded(1_100_000);
    for (const path of [
      "/login",
      "/register",
      "/scim/v2x/Bulk",
      "/SCIM/v2/Bulk",
      "/t/default/login",
      "/login/scim/v2/",
    ]) {
      const { status } = await fetch(server.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: text,
      });
      expect([path, status, await chunked(path, text)]).toEqual([path, 413, 413]);
    }
    expect(await chunked("/login", JSON.stringify({ identifier: "nobody", password: "wrong" }))).toBe(401);
  });

  /** Guard: api/scim/bulk.ts, `attempt`: one operation that fails does not undo, or hide, the others. */
  it("of operations that fail for reasons of their own is answered one by one", async () => {
    const user = await make(ofOne);
    const { status, body } = await ofOne.post("/Bulk", {
      Operations: [
        {
          method: "PATCH",
          path: `/Users/${user.id}`,
          data: { Operations: [{ op: "add", path: "title", value: "a\0b" }] },
        },
        { method: "PATCH", path: `/Users/${user.id}`, data: null },
        { method: "DELETE", path: `/Users/${user.id}` },
      ],
    });
    expect(status).toBe(200);
    expect(body.Operations?.map((operation) => operation.status)).toEqual(["400", "400", "204"]);
  });
});
