/**
 * The environment, read once, into a frozen Config. This is the only file that reads it.
 * Every variable is documented in `.env.example`, which a test compares with `variables` below.
 */
import { type Static, type TSchema, Type, TypeGuard } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { ConfigError } from "./lib/config-error.ts";
import { isAddressRange, isOrigin, list, parseOrigin } from "./lib/config-values.ts";
import { parseMasterKeys, type MasterKeys } from "./lib/master-keys.ts";
import { defaultRateLimits, parseRateLimits, rateLimitGroups, type RateLimits } from "./lib/rate-limits.ts";
import { type SmsConfig, smsConfig } from "./lib/sms-config.ts";
import { isAllowance } from "./outbound/addresses.ts";

const Flag = (fallback: "on" | "off") =>
  Type.Union([Type.Literal("on"), Type.Literal("off")], { default: fallback });
const Text = (options = {}) => Type.Optional(Type.String({ minLength: 1, ...options }));
const Integer = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum });

/** One entry a variable; the description is what the error message tells the operator. */
export const variables = {
  NODE_ENV: Type.Union([Type.Literal("development"), Type.Literal("production"), Type.Literal("test")], {
    default: "development",
    description: "development, production or test",
  }),
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65535, description: "a port number" }),
  HOST: Type.String({ default: "127.0.0.1", minLength: 1, description: "an address to listen on" }),
  PUBLIC_URL: Text({ description: "the URL under which browsers and applications reach this server" }),
  GATEWRIGHT_DATA_DIR: Type.String({ default: ".data", minLength: 1, description: "a directory" }),
  DATABASE_URL: Text({ pattern: "^postgres(ql)?://", description: "a postgres:// URL" }),
  REDIS_URL: Text({ pattern: "^rediss?://", description: "a redis:// or rediss:// URL" }),
  GATEWRIGHT_MASTER_KEY: Text({
    description: "id:base64 of 32 bytes; several, newest first, separated by commas",
  }),
  GATEWRIGHT_ADMIN_EMAIL: Text({ pattern: "^[^\\s@]+@[^\\s@]+$", description: "an email address" }),
  GATEWRIGHT_ADMIN_PASSWORD: Text({ description: "a password" }),
  GATEWRIGHT_METRICS_TOKEN: Text({ description: "a bearer token for /metrics" }),
  GATEWRIGHT_ALLOWED_ORIGINS: Type.String({ default: "", description: "origins, separated by commas" }),
  GATEWRIGHT_TRUSTED_PROXIES: Type.String({
    default: "",
    description: "addresses or CIDR ranges, separated by commas",
  }),
  GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: Type.String({
    default: "",
    description: "addresses, CIDR ranges or host names, separated by commas",
  }),
  RATE_LIMITING: { ...Flag("on"), description: "on or off" },
  RATE_LIMITS: Type.String({
    default: "",
    description: `group=requests a minute, separated by commas; groups are ${rateLimitGroups.join(", ")}`,
  }),
  WEB_CONCURRENCY: { ...Integer(1, 1, 64), description: "a number of API processes from 1 to 64" },
  LOG_LEVEL: Type.String({
    default: "info",
    pattern: "^(fatal|error|warn|info|debug|trace|silent)$",
    description: "fatal, error, warn, info, debug, trace or silent",
  }),
  MAIL_DRIVER: Type.Union([Type.Literal("mailbox"), Type.Literal("smtp"), Type.Literal("resend")], {
    default: "mailbox",
    description: "mailbox, smtp or resend",
  }),
  MAIL_FROM: Type.String({
    default: "Gatewright <no-reply@localhost>",
    description: "the sender of all mail",
  }),
  SMTP_URL: Text({ pattern: "^smtps?://", description: "an smtp:// or smtps:// URL" }),
  RESEND_API_KEY: Text({ description: "an API key of Resend" }),
  RESEND_BASE_URL: Text({ pattern: "^https?://", description: "the URL of Resend's API" }),
  SMS_DRIVER: Type.Optional(
    Type.Union([Type.Literal("mailbox"), Type.Literal("twilio"), Type.Literal("off")], {
      description: "mailbox, twilio or off",
    }),
  ),
  SMS_FROM: Text({ description: "the number or name that text messages come from" }),
  TWILIO_ACCOUNT_SID: Text({ pattern: "^\\w{1,64}$", description: "the id of an account at Twilio" }),
  TWILIO_AUTH_TOKEN: Text({ description: "the secret of an account at Twilio" }),
  TWILIO_BASE_URL: Type.String({
    default: "https://api.twilio.com",
    pattern: "^https?://",
    description: "the URL of an API like Twilio's",
  }),
  BREACHED_PASSWORDS_URL: Type.String({
    default: "https://api.pwnedpasswords.com",
    pattern: "^https?://",
    description: "the URL of a service that speaks the range protocol of Have I Been Pwned",
  }),
  S3_ENDPOINT: Text({ pattern: "^https?://", description: "the URL of S3-compatible storage" }),
  S3_BUCKET: Text({ description: "a bucket's name" }),
  S3_REGION: Text({ description: "a region's name" }),
  S3_ACCESS_KEY_ID: Text({ description: "an access key id" }),
  S3_SECRET_ACCESS_KEY: Text({ description: "a secret access key" }),
} satisfies Record<string, TSchema>;

const Environment = Type.Object(variables);
type Environment = Static<typeof Environment>;

export interface Config {
  readonly env: "development" | "production" | "test";
  readonly host: string;
  readonly port: number;
  /** An origin, without a trailing slash: the default tenant's issuer. */
  readonly publicUrl: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly redisUrl: string | undefined;
  readonly masterKeys: MasterKeys;
  readonly bootstrapAdmin: { readonly email: string; readonly password: string | undefined } | undefined;
  readonly metricsToken: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  /** Addresses, CIDR ranges and host names that requests for a tenant may reach although they are private. */
  readonly outboundAllowPrivate: readonly string[];
  readonly rateLimiting: boolean;
  /** Requests a minute, for tenants that set no others. */
  readonly rateLimits: RateLimits;
  readonly webConcurrency: number;
  readonly logLevel: string;
  readonly mail: MailConfig;
  readonly sms: SmsConfig;
  /** Asked by k-anonymity for the tenants that want it. */
  readonly breachedPasswordsUrl: string;
  readonly s3: S3Config | undefined;
}

export type MailConfig = { readonly from: string } & (
  | { readonly driver: "mailbox" }
  | { readonly driver: "smtp"; readonly url: string }
  | { readonly driver: "resend"; readonly apiKey: string; readonly baseUrl: string | undefined }
);

export interface S3Config {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A copy of the process's environment, for the commands that hand it on with what they found out themselves. */
export function readEnvironment(): Record<string, string | undefined> {
  return { ...process.env };
}

/**
 * @param env usually `process.env`, with what `start` found out itself (the embedded database, generated secrets).
 * @throws ConfigError naming every variable that is missing or wrong, never its value.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const values = parseEnvironment(env);
  const problems = values.NODE_ENV === "production" ? productionProblems(values) : [];
  if (!values.DATABASE_URL) {
    problems.push(
      values.NODE_ENV === "production"
        ? "DATABASE_URL is missing"
        : "DATABASE_URL is missing: set it, or use `gatewright start`, which brings its own database",
    );
  }
  const masterKeys = parseMasterKeys(values.GATEWRIGHT_MASTER_KEY);
  if (!masterKeys) {
    problems.push(
      "GATEWRIGHT_MASTER_KEY must be id:base64 of 32 bytes (`openssl rand -base64 32` makes one)",
    );
  }
  problems.push(...inconsistencies(values));
  const mail = mailConfig(values, problems);
  const sms = smsConfig(values, problems);
  const s3 = s3Config(values, problems);
  const publicUrl = parsePublicUrl(values, problems);
  if (problems.length > 0 || !masterKeys || !values.DATABASE_URL) throw new ConfigError(problems);

  return Object.freeze<Config>({
    env: values.NODE_ENV,
    host: values.HOST,
    port: values.PORT,
    publicUrl,
    dataDir: values.GATEWRIGHT_DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    masterKeys,
    bootstrapAdmin: values.GATEWRIGHT_ADMIN_EMAIL
      ? { email: values.GATEWRIGHT_ADMIN_EMAIL, password: values.GATEWRIGHT_ADMIN_PASSWORD }
      : undefined,
    metricsToken: values.GATEWRIGHT_METRICS_TOKEN,
    allowedOrigins: list(values.GATEWRIGHT_ALLOWED_ORIGINS),
    trustedProxies: list(values.GATEWRIGHT_TRUSTED_PROXIES),
    outboundAllowPrivate: list(values.GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE),
    rateLimiting: values.RATE_LIMITING === "on",
    rateLimits: { ...defaultRateLimits, ...parseRateLimits(values.RATE_LIMITS) },
    webConcurrency: values.WEB_CONCURRENCY,
    logLevel: values.LOG_LEVEL,
    mail,
    sms,
    breachedPasswordsUrl: values.BREACHED_PASSWORDS_URL,
    s3,
  });
}

function parseEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const given = Object.entries(variables).flatMap(([name, schema]) => {
    const text = env[name]?.trim();
    if (!text) return [];
    // Value.Convert would make 1 of "1.5"
    return [[name, TypeGuard.IsInteger(schema) && /^\d+$/.test(text) ? Number(text) : text]];
  });
  const values = Value.Default(Environment, Object.fromEntries(given));
  const problems = [...Value.Errors(Environment, values)].map((error) => {
    const name = error.path.slice(1) as keyof typeof variables;
    return `${name} must be ${variables[name].description}`;
  });
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return values as Environment;
}

/** What a deployment must not leave to chance (and what `start` only makes up for a developer). */
function productionProblems(values: Environment): string[] {
  const problems: string[] = [];
  if (!values.PUBLIC_URL) problems.push("PUBLIC_URL is missing");
  else if (!values.PUBLIC_URL.startsWith("https://")) problems.push("PUBLIC_URL must begin with https://");
  if (values.MAIL_DRIVER === "mailbox")
    problems.push("MAIL_DRIVER must be smtp or resend, so that mail leaves");
  if (values.MAIL_FROM.includes("@localhost"))
    problems.push("MAIL_FROM must be an address of your own domain");
  if (values.SMS_DRIVER === "mailbox") problems.push("SMS_DRIVER must be twilio or off");
  if (!values.GATEWRIGHT_METRICS_TOKEN) problems.push("GATEWRIGHT_METRICS_TOKEN is missing");
  else if (values.GATEWRIGHT_METRICS_TOKEN.length < 16) {
    problems.push("GATEWRIGHT_METRICS_TOKEN must have at least 16 characters");
  }
  if (list(values.GATEWRIGHT_ALLOWED_ORIGINS).includes("*")) {
    problems.push("GATEWRIGHT_ALLOWED_ORIGINS must name origins, not *");
  }
  if (values.RATE_LIMITING === "off") problems.push("RATE_LIMITING must be on");
  return problems;
}

function inconsistencies(values: Environment): string[] {
  const problems: string[] = [];
  if (values.GATEWRIGHT_ADMIN_PASSWORD && !values.GATEWRIGHT_ADMIN_EMAIL) {
    problems.push("GATEWRIGHT_ADMIN_EMAIL is missing (GATEWRIGHT_ADMIN_PASSWORD is set)");
  }
  if (!list(values.GATEWRIGHT_ALLOWED_ORIGINS).every((entry) => entry === "*" || isOrigin(entry))) {
    problems.push("GATEWRIGHT_ALLOWED_ORIGINS must be origins (https://host), separated by commas, or *");
  }
  if (!list(values.GATEWRIGHT_TRUSTED_PROXIES).every(isAddressRange)) {
    problems.push("GATEWRIGHT_TRUSTED_PROXIES must be addresses or CIDR ranges, separated by commas");
  }
  if (!parseRateLimits(values.RATE_LIMITS)) {
    problems.push(`RATE_LIMITS must be ${variables.RATE_LIMITS.description}`);
  }
  if (!list(values.GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE).every(isAllowance)) {
    problems.push(
      "GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE must be addresses, CIDR ranges or host names, separated by commas",
    );
  }
  return problems;
}

function parsePublicUrl(values: Environment, problems: string[]): string {
  const text = values.PUBLIC_URL ?? `http://localhost:${values.PORT}`;
  const origin = parseOrigin(text);
  // Not below a path: cookies with the __Host- prefix belong to a whole host, and so do the well-known paths.
  if (!origin) {
    problems.push("PUBLIC_URL must be an origin: http:// or https://, a host, perhaps a port, and no path");
  }
  return origin ?? text;
}

function mailConfig(values: Environment, problems: string[]): MailConfig {
  const from = values.MAIL_FROM;
  if (values.MAIL_DRIVER === "smtp") {
    if (!values.SMTP_URL) problems.push("SMTP_URL is missing (MAIL_DRIVER is smtp)");
    return { driver: "smtp", from, url: values.SMTP_URL ?? "" };
  }
  if (values.MAIL_DRIVER === "resend") {
    if (!values.RESEND_API_KEY) problems.push("RESEND_API_KEY is missing (MAIL_DRIVER is resend)");
    return { driver: "resend", from, apiKey: values.RESEND_API_KEY ?? "", baseUrl: values.RESEND_BASE_URL };
  }
  return { driver: "mailbox", from };
}

function s3Config(values: Environment, problems: string[]): S3Config | undefined {
  const { S3_ENDPOINT, S3_BUCKET, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = values;
  if (!S3_ENDPOINT && !S3_BUCKET && !S3_ACCESS_KEY_ID && !S3_SECRET_ACCESS_KEY) return undefined;
  if (!S3_ENDPOINT || !S3_BUCKET || !S3_ACCESS_KEY_ID || !S3_SECRET_ACCESS_KEY) {
    problems.push("S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together");
    return undefined;
  }
  return {
    endpoint: S3_ENDPOINT,
    bucket: S3_BUCKET,
    region: S3_REGION,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
  };
}
