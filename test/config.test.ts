import { describe, expect, it } from "bun:test";
import { join } from "node:path";
import { loadConfig, variables } from "../src/config.ts";
import { ConfigError } from "../src/lib/config-error.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const DEVELOPMENT = { DATABASE_URL: "postgres://u:p@localhost/db", GATEWRIGHT_MASTER_KEY: `1:${KEY}` };
const PRODUCTION = {
  ...DEVELOPMENT,
  NODE_ENV: "production",
  PUBLIC_URL: "https://id.example.com",
  MAIL_DRIVER: "smtp",
  MAIL_FROM: "Example <no-reply@example.com>",
  SMTP_URL: "smtps://mail.example.com",
  GATEWRIGHT_METRICS_TOKEN: "0123456789abcdef",
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** What compose.yaml reads, and no process of Gatewright. */
const ONLY_FOR_COMPOSE = "POSTGRES_PASSWORD";

describe(".env.example", () => {
  it("documents every variable, and no other", async () => {
    const text = await Bun.file(join(import.meta.dir, "..", ".env.example")).text();
    const documented = [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name ?? "");
    expect(documented.toSorted()).toEqual([...Object.keys(variables), ONLY_FOR_COMPOSE].toSorted());
  });

  it("states the defaults that the schema has", async () => {
    const text = await Bun.file(join(import.meta.dir, "..", ".env.example")).text();
    for (const [, name = "", value = ""] of text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)) {
      const schema = Object.entries(variables).find(([key]) => key === name)?.[1];
      expect([name, value.replaceAll('"', "")]).toEqual([name, String(schema?.default)]);
    }
  });
});

describe("Config, development", () => {
  it("needs a database and a master key only", () => {
    const config = loadConfig(DEVELOPMENT);
    expect(config).toMatchObject({
      env: "development",
      host: "127.0.0.1",
      port: 3000,
      publicUrl: "http://localhost:3000",
      rateLimiting: true,
      webConcurrency: 1,
      mail: { driver: "mailbox" },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it("changes the rate limits that are named, and no others", () => {
    const { rateLimits } = loadConfig({ ...DEVELOPMENT, RATE_LIMITS: "token=600" });
    expect([rateLimits.token, rateLimits.login]).toEqual([600, 20]);
  });

  it("names what is missing", () => {
    expect(problemsOf({})).toEqual([
      expect.stringContaining("DATABASE_URL is missing"),
      expect.stringContaining("GATEWRIGHT_MASTER_KEY must be"),
    ]);
  });

  it("takes a blank variable for one that is not set", () => {
    expect(loadConfig({ ...DEVELOPMENT, PORT: " ", REDIS_URL: "" }).port).toBe(3000);
  });

  it("names the issuer without a trailing slash", () => {
    expect(loadConfig({ ...DEVELOPMENT, PUBLIC_URL: "https://example.com/" }).publicUrl).toBe(
      "https://example.com",
    );
  });

  it("splits lists", () => {
    const config = loadConfig({
      ...DEVELOPMENT,
      GATEWRIGHT_ALLOWED_ORIGINS: "https://a.example, http://localhost:5173",
      GATEWRIGHT_TRUSTED_PROXIES: "10.0.0.0/8,::1,fd00::/8",
      GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "10.0.0.0/8, keys.intranet.example",
    });
    expect(config.outboundAllowPrivate).toEqual(["10.0.0.0/8", "keys.intranet.example"]);
    expect(config.allowedOrigins).toEqual(["https://a.example", "http://localhost:5173"]);
    expect(config.trustedProxies).toEqual(["10.0.0.0/8", "::1", "fd00::/8"]);
  });
});

describe("Config, wrong values", () => {
  const wrong: [string, Record<string, string>][] = [
    ["NODE_ENV", { NODE_ENV: "zq-staging" }],
    ["PORT", { PORT: "zq-http" }],
    ["GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE", { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "https://zq.example.com" }],
    ["PORT", { PORT: "70001" }],
    ["PORT", { PORT: "-17" }],
    ["PUBLIC_URL", { PUBLIC_URL: "zq.example.com" }],
    ["PUBLIC_URL", { PUBLIC_URL: "ftp://zq.example.com" }],
    ["PUBLIC_URL", { PUBLIC_URL: "https://zq.example.com/?zq=1" }],
    ["PUBLIC_URL", { PUBLIC_URL: "https://zq@example.com" }],
    ["DATABASE_URL", { DATABASE_URL: "mysql://zq:zq@localhost/zq" }],
    ["REDIS_URL", { REDIS_URL: "http://zq" }],
    ["GATEWRIGHT_MASTER_KEY", { GATEWRIGHT_MASTER_KEY: "zqzqzqzq" }],
    ["GATEWRIGHT_MASTER_KEY", { GATEWRIGHT_MASTER_KEY: `1:${KEY},1:${KEY}` }],
    ["GATEWRIGHT_ADMIN_EMAIL", { GATEWRIGHT_ADMIN_EMAIL: "zq" }],
    ["GATEWRIGHT_ADMIN_EMAIL", { GATEWRIGHT_ADMIN_PASSWORD: "zqzqzqzq" }],
    ["GATEWRIGHT_ALLOWED_ORIGINS", { GATEWRIGHT_ALLOWED_ORIGINS: "https://zq.example/path" }],
    ["GATEWRIGHT_TRUSTED_PROXIES", { GATEWRIGHT_TRUSTED_PROXIES: "zq.internal" }],
    ["GATEWRIGHT_TRUSTED_PROXIES", { GATEWRIGHT_TRUSTED_PROXIES: "10.1.2.0/99" }],
    ["RATE_LIMITING", { RATE_LIMITING: "zq" }],
    ["RATE_LIMITS", { RATE_LIMITS: "login=20,zq=1" }],
    ["WEB_CONCURRENCY", { WEB_CONCURRENCY: "65" }],
    ["WEB_CONCURRENCY", { WEB_CONCURRENCY: "1.77" }],
    ["LOG_LEVEL", { LOG_LEVEL: "zq" }],
    ["MAIL_DRIVER", { MAIL_DRIVER: "zq" }],
    ["SMTP_URL", { MAIL_DRIVER: "smtp", SMTP_URL: "zq.example.com:25" }],
    ["SMTP_URL", { MAIL_DRIVER: "smtp" }],
    ["RESEND_API_KEY", { MAIL_DRIVER: "resend" }],
    ["RESEND_BASE_URL", { RESEND_BASE_URL: "zq" }],
    ["S3_ENDPOINT", { S3_ENDPOINT: "zq" }],
    ["S3_BUCKET", { S3_ENDPOINT: "https://zq.example.com" }],
  ];

  it.each(wrong)("names %s and repeats no value: %j", (name, change) => {
    const problems = problemsOf({ ...DEVELOPMENT, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toContain("zq");
    for (const [variable, value] of Object.entries(change)) {
      if (variable === name) expect(problems[0]).not.toContain(value);
    }
  });

  it("names all of them at once", () => {
    expect(problemsOf({ ...DEVELOPMENT, PORT: "x", LOG_LEVEL: "y" })).toHaveLength(2);
  });
});

describe("Config, production", () => {
  it("accepts a whole and secure configuration", () => {
    expect(problemsOf(PRODUCTION)).toEqual([]);
  });

  const refused: [string, string | undefined][] = [
    ["PUBLIC_URL", undefined],
    ["PUBLIC_URL", "http://id.example.com"],
    ["DATABASE_URL", undefined],
    ["GATEWRIGHT_MASTER_KEY", undefined],
    ["GATEWRIGHT_METRICS_TOKEN", undefined],
    ["GATEWRIGHT_METRICS_TOKEN", "short-token"],
    ["MAIL_DRIVER", undefined],
    ["MAIL_DRIVER", "mailbox"],
    ["MAIL_FROM", undefined],
    ["MAIL_FROM", "Gatewright <a@localhost>"],
    ["RATE_LIMITING", "off"],
    ["GATEWRIGHT_ALLOWED_ORIGINS", "*"],
    ["GATEWRIGHT_ALLOWED_ORIGINS", "https://a.example,*"],
  ];

  it.each(refused)("refuses %s = %p and names it", (name, value) => {
    const problems = problemsOf({ ...PRODUCTION, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toStartWith(name);
    if (value && value !== "*" && value !== "off") expect(problems[0]).not.toContain(value);
  });

  it("does not point to the embedded database, which it would not use", () => {
    expect(problemsOf({ ...PRODUCTION, DATABASE_URL: undefined })).toEqual(["DATABASE_URL is missing"]);
  });
});
