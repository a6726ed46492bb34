/** The range protocol of Have I Been Pwned, against a service that says what it is asked. */
import { afterAll, beforeEach, describe, expect, it } from "bun:test";
import { createHash } from "node:crypto";
import { isBreached } from "../../../src/domain/passwords/breaches.ts";
import { createLogger } from "../../../src/lib/log.ts";
import { testConfig } from "../../support/queue.ts";
import { freePort } from "../../support/free-port.ts";

let answer: () => Response | Promise<Response>;
let requests: { path: string; padding: string | null; all: string }[];
const service = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    requests.push({
      path: new URL(request.url).pathname,
      padding: request.headers.get("add-padding"),
      all: request.url + JSON.stringify([...request.headers]),
    });
    return answer();
  },
});
afterAll(() => service.stop(true));
beforeEach(() => {
  requests = [];
});

const log = createLogger({ level: "silent", name: "test" });
const depsFor = (url: string) => ({
  log,
  config: testConfig({ DATABASE_URL: "postgres://localhost/none", BREACHED_PASSWORDS_URL: url }),
});
const deps = depsFor(`http://127.0.0.1:${service.port}`);
const digest = createHash("sha1").update("hunter2").digest("hex").toUpperCase();
const filler = "0".repeat(35);

describe("a password that a breach made known", () => {
  it("is found among the suffixes of its range; five digits are all that leaves", async () => {
    answer = () => new Response(`${filler}:7\r\n${digest.slice(5)}:17\r\n`);
    expect(await isBreached(deps, "hunter2")).toBe(true);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.path).toBe(`/range/${digest.slice(0, 5)}`);
    expect(requests[0]?.padding).toBe("true");
    expect(requests[0]?.all.toUpperCase()).not.toContain(digest.slice(5, 12));
    expect(requests[0]?.all).not.toContain("hunter2");
  });

  it("is not one whose range holds others, nor one that is padding", async () => {
    answer = () => new Response(`${filler}:7\r\n${digest.slice(5)}:0\r\n`);
    expect(await isBreached(deps, "hunter2")).toBe(false);
  });

  it.each([
    ["an error", () => new Response("busy", { status: 503 })],
    ["an endless answer", () => new Response(`${filler}:1\n`.repeat(60_000))],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/", 302)],
  ])("is not asked about again after %s: the password passes", async (_, failing) => {
    answer = failing;
    expect(await isBreached(deps, "hunter2")).toBe(false);
  });

  it("passes when nobody answers, and soon when the answer does not come", async () => {
    expect(await isBreached(depsFor(`http://127.0.0.1:${freePort()}`), "hunter2")).toBe(false);
    const { promise, resolve } = Promise.withResolvers<Response>();
    answer = () => promise;
    const begun = performance.now();
    expect(await isBreached(deps, "hunter2")).toBe(false);
    expect(performance.now() - begun).toBeLessThan(5000);
    resolve(new Response(""));
  });
});
