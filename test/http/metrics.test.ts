import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createMetrics } from "../../src/http/metrics.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const TOKEN = "a-token-of-the-tests";

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the text format strictly: every line is a comment or a sample of a metric that was declared before. */
function parsePrometheus(text: string): Sample[] {
  const declared = new Set<string>();
  const samples: Sample[] = [];
  expect(text).toEndWith("\n");
  for (const line of text.split("\n").filter(Boolean)) {
    const [, name = "", type] =
      /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line) ?? [];
    if (type) declared.add(name);
    if (line.startsWith("#")) {
      expect(line).toMatch(/^# (?:HELP|TYPE) [a-zA-Z_:][\w:]* .+$/);
      continue;
    }
    const sample =
      /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\})? (-?(?:\d[\d.e+-]*|\+Inf)|Nan|NaN)$/.exec(
        line,
      );
    expect({ line, parsed: sample !== null }).toEqual({ line, parsed: true });
    const [, of = "", labels = "", value] = sample ?? [];
    expect({
      line,
      declared: declared.has(of) || declared.has(of.replace(/_(?:bucket|sum|count)$/, "")),
    }).toEqual({ line, declared: true });
    samples.push({
      name: of,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key, label]),
      ),
      value: Number(value),
    });
  }
  return samples;
}

describe("GET /metrics", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ env: { GATEWRIGHT_METRICS_TOKEN: TOKEN } });
  });
  afterAll(() => server.stop());

  const scrape = (authorization: string) => fetch(`${server.url}/metrics`, { headers: { authorization } });
  const samples = async () => parsePrometheus(await (await scrape(`Bearer ${TOKEN}`)).text());

  it("is text that Prometheus reads", async () => {
    await fetch(`${server.url}/healthz`);
    const response = await scrape(`Bearer ${TOKEN}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const names = new Set(parsePrometheus(await response.text()).map(({ name }) => name));
    expect([...names]).toEqual(
      expect.arrayContaining([
        "gatewright_http_request_duration_seconds_bucket",
        "gatewright_outbox_jobs",
        "gatewright_process_resident_memory_bytes",
      ]),
    );
  });

  it("counts requests by method and status, and nothing that a stranger chooses", async () => {
    const count = async () =>
      (await samples()).find(
        ({ name, labels }) =>
          name === "gatewright_http_requests_total" &&
          labels["method"] === "GET" &&
          labels["status"] === "404",
      )?.value ?? 0;
    const before = await count();
    await fetch(`${server.url}/nowhere/a-secret-in-a-path?and=a-query`);
    expect(await count()).toBe(before + 1);
    expect(await (await scrape(`Bearer ${TOKEN}`)).text()).not.toContain("a-secret-in-a-path");
  });

  it("counts the jobs that wait for the queue", async () => {
    const waiting = async () =>
      (await samples()).find(({ name }) => name === "gatewright_outbox_jobs")?.value;
    const before = (await waiting()) ?? Number.NaN;
    await fetch(`${server.url}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "metric", email: "metric@example.com", password: "SecureP@ssw0rd!" }),
    });
    expect(await waiting()).toBe(before + 1);
  });

  it.each([
    "",
    "Bearer x",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Basic ${btoa(`:${TOKEN}`)}`,
    TOKEN,
  ])("is refused with %p", async (authorization) => {
    const response = await scrape(authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
    expect(await response.text()).not.toContain("gatewright_");
  });

  it("does not take the token from the query", async () => {
    expect((await fetch(`${server.url}/metrics?token=${TOKEN}&access_token=${TOKEN}`)).status).toBe(401);
  });
});

describe("without GATEWRIGHT_METRICS_TOKEN", () => {
  it("there is nothing at /metrics, whatever token is sent", async () => {
    const server = await startTestServer();
    for (const authorization of ["", "Bearer x", "Bearer undefined"]) {
      const response = await fetch(`${server.url}/metrics`, { headers: { authorization } });
      const nothing = await fetch(`${server.url}/nowhere`);
      expect({ status: response.status, error: await response.json() }).toEqual({
        status: 404,
        error: { ...(await nothing.json()), request_id: response.headers.get("x-request-id") },
      });
    }
    await server.stop();
  });
});

describe("the counters", () => {
  it("fold methods that are not HTTP's own into one series", async () => {
    const metrics = createMetrics();
    for (const method of ["GET", "POST", "BREW", "x".repeat(1000), 'a"} 1', "get"])
      metrics.observe(method, 200, 0.001);
    const methods = parsePrometheus(await metrics.render())
      .filter(({ name }) => name === "gatewright_http_requests_total")
      .map(({ labels, value }) => [labels["method"], value]);
    expect(methods.toSorted()).toEqual([
      ["GET", 1],
      ["POST", 1],
      ["other", 4],
    ]);
  });

  it("of times hold all that took at most as long, and their sum", async () => {
    const metrics = createMetrics("7");
    for (const seconds of [0.001, 0.002, 0.002, 7]) metrics.observe("GET", 200, seconds);
    const samples = parsePrometheus(await metrics.render()).filter(({ name }) => name.includes("duration"));
    const bucket = (le: string) => samples.find(({ labels }) => labels["le"] === le);
    expect(["0.001", "0.0025", "2.5", "+Inf"].map((le) => bucket(le)?.value)).toEqual([1, 3, 3, 4]);
    expect(bucket("+Inf")?.labels).toEqual({ le: "+Inf", method: "GET", process: "7" });
    const [sum, count] = ["sum", "count"].map((end) => samples.find(({ name }) => name.endsWith(end))?.value);
    expect([sum?.toFixed(3), count]).toEqual(["7.005", 4]);
  });

  it("of a gauge that cannot be read do not hide all the others", async () => {
    const metrics = createMetrics();
    metrics.observe("GET", 200, 0.001);
    metrics.gauge("broken", "A gauge that cannot be read", () => Promise.reject(new Error("away")));
    const samples = parsePrometheus(await metrics.render());
    expect(samples.map(({ name }) => name)).toContain("gatewright_http_requests_total");
  });
});
