/**
 * Which endpoints are limited, and together with which others. A page is in the group of the API's endpoint that does
 * the same, so that neither is a way around the other. Numbers: `lib/rate-limits.ts`.
 */
import type { RateLimitGroup } from "../../lib/rate-limits.ts";

export interface RateLimitRule {
  readonly group: RateLimitGroup;
  /** The client's address; or the Bearer token, whatever address it comes from, and the address in the group `default`. */
  readonly by: "ip" | "token";
}

/**
 * `METHOD /path`, where a last `*` stands for any rest. A whole path counts before those with `*`, and of these the first
 * that fits. HEAD is limited as GET.
 */
const table: readonly (RateLimitRule & { readonly routes: readonly string[] })[] = [
  { group: "login", by: "ip", routes: ["POST /login", "POST /login/*", "POST /signin", "POST /signin/*"] },
  { group: "register", by: "ip", routes: ["POST /register", "POST /signup", "POST /signup/*"] },
  { group: "forgot_password", by: "ip", routes: ["POST /forgot-password", "POST /recover"] },
  {
    group: "send_message",
    by: "ip",
    routes: [
      "POST /verify-email/send",
      "POST /account/send-verification",
      "POST /signup/resend",
      "POST /login/email-code",
      "POST /login/sms-code",
      "POST /login/magic-link",
      "POST /signin/code",
      "POST /signin/magic-link",
      "POST /signin/verify/send",
      "POST /signin/step-up/send",
      "POST /account/security/email",
      "POST /me/phones",
      "POST /me/email",
    ],
  },
  {
    group: "redeem",
    by: "ip",
    routes: [
      "POST /reset-password",
      "POST /recover/*",
      "GET /verify-email",
      "POST /verify-email/*",
      "GET /unlock",
      "POST /unlock",
      "POST /email-change/*",
      "POST /keep-account",
      "GET /impersonate",
      "POST /impersonate",
      "POST /device",
      "POST /device/*",
    ],
  },
  { group: "poll", by: "ip", routes: ["POST /login/magic-link/complete"] },
  { group: "token_refresh", by: "ip", routes: ["POST /token/refresh"] },
  {
    group: "passkey",
    by: "ip",
    routes: [
      "POST /mfa/webauthn/*",
      // The sign-in page asks by itself, for its autofill: that is no attempt.
      "POST /signin/passkey/options",
      "POST /signin/verify/options",
      "POST /signin/step-up/options",
      "POST /signin/enroll/*",
      "POST /signup/passkey/options",
    ],
  },
  {
    group: "mfa_verify",
    by: "ip",
    routes: ["POST /mfa/*", "POST /signin/verify", "POST /signin/step-up"],
  },
  {
    group: "account",
    by: "ip",
    routes: ["POST", "PUT", "PATCH", "DELETE"].flatMap((method) =>
      ["/me", "/me/*", "/account/*", "/impersonation/*", "/mfa/*"].map((path) => `${method} ${path}`),
    ),
  },
  {
    group: "federation",
    by: "ip",
    // By address as by form: an AuthnRequest that nobody signed is parsed all the same.
    routes: ["GET", "POST"].flatMap((method) => [`${method} /oauth/social/*`, `${method} /saml/*`]),
  },
  { group: "token", by: "ip", routes: ["POST /oauth/token"] },
  {
    group: "oauth_request",
    by: "ip",
    routes: [
      "POST /oauth/par",
      "POST /oauth/device_authorization",
      ...["POST", "PUT", "DELETE"].flatMap((method) => [
        `${method} /oauth/register`,
        `${method} /oauth/register/*`,
      ]),
    ],
  },
  {
    group: "application",
    by: "ip",
    routes: [
      "POST /oauth/introspect",
      "POST /oauth/token_info",
      "POST /oauth/revoke",
      "GET /oauth/userinfo",
      "POST /oauth/userinfo",
    ],
  },
  {
    group: "scim",
    by: "ip",
    routes: ["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => `${method} /scim/*`),
  },
  {
    group: "admin_read",
    by: "token",
    routes: ["GET /api/v1/admin/*", "GET /v1/organizations/*"],
  },
  {
    group: "admin_write",
    by: "token",
    routes: ["POST", "PUT", "PATCH", "DELETE"].flatMap((method) => [
      `${method} /api/v1/admin/*`,
      `${method} /v1/organizations/*`,
    ]),
  },
];

/**
 * Answered from memory in less time than counting would take, or asked by machines that must not be turned away: what
 * a load balancer watches, and what every application reads before it can do anything.
 */
const unlimited: readonly string[] = [
  "GET /healthz",
  "GET /readyz",
  "GET /metrics",
  "GET /assets/*",
  "GET /docs/*",
  "GET /.well-known/*",
];

const others: RateLimitRule = { group: "default", by: "ip" };

type Fit = RateLimitRule | "unlimited";
const exact = new Map<string, Fit>();
const prefixes: { readonly prefix: string; readonly fit: Fit }[] = [];
for (const { routes, fit } of [
  ...table.map(({ routes: of, group, by }) => ({ routes: of, fit: { group, by } })),
  { routes: unlimited, fit: "unlimited" as const },
]) {
  for (const route of routes) {
    if (route.endsWith("*")) prefixes.push({ prefix: route.slice(0, -1), fit });
    else exact.set(route, fit);
  }
}

/** @returns undefined for what is not limited */
export function ruleOf(method: string, path: string): RateLimitRule | undefined {
  const route = `${method === "HEAD" ? "GET" : method} ${path}`;
  const fit = exact.get(route) ?? prefixes.find(({ prefix }) => route.startsWith(prefix))?.fit ?? others;
  return fit === "unlimited" ? undefined : fit;
}
