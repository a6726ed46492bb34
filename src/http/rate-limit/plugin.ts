/** Turns requests away that come too often, before they are routed, parsed or cost anything else. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/crypto.ts";
import { networkOf } from "../../lib/network.ts";
import type { RateLimitGroup } from "../../lib/rate-limits.ts";
import { apiKeyOf } from "../api-key.ts";
import { requestInfo } from "../request-info.ts";
import { resolveTenant } from "../tenant.ts";
import type { Decision, Limiter } from "./limiter.ts";
import { ruleOf } from "./limits.ts";

/** Kept for the gateway, which puts them on the response, whatever kind of response it is. */
const decisions = new WeakMap<Request, Decision>();

/**
 * Has to be used before every route. An error page, an OAuth error and any other surface's error are rendered where all
 * errors are.
 */
export const rateLimiting = (deps: Deps, limiter: Limiter) =>
  new Elysia({ name: "rate-limiting" }).onRequest(async ({ request }) => {
    const rule = ruleOf(request.method, new URL(request.url).pathname);
    if (!rule) return;
    const tenant = await tenantOf(deps, request);
    const take = async (group: RateLimitGroup, client: string) => {
      const limit = tenant?.settings.rate_limits[group] ?? deps.config.rateLimits[group];
      const decision = await limiter.take(`${group}:${tenant?.id ?? ""}:${client}`, limit);
      decisions.set(request, decision);
      if (!decision.allowed) throw tooManyRequests(decision);
    };

    const address = networkOf(requestInfo(request).ip ?? "unknown");
    // A key is counted wherever it comes to: many programs may share an address, and one key many addresses.
    if (rule.by === "ip" && apiKeyOf(request) === undefined) return take(rule.group, address);
    // The address too: else whoever makes up a new token for each request would not be limited at all.
    await take("default", address);
    const token = tokenOf(request);
    if (token !== undefined) await take(rule.group, sha256(token).toString("base64url"));
  });

/** Requests that name no tenant of ours share one count; that there is none is told by the route. */
async function tenantOf(deps: Deps, request: Request) {
  try {
    return await resolveTenant(deps, request, requestInfo(request));
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Without the scheme and the spaces before it, which can be written in many ways. */
function tokenOf(request: Request): string | undefined {
  return request.headers.get("authorization")?.trim().split(/\s+/).at(-1);
}

function tooManyRequests({ retryAfterSeconds }: Decision): AppError {
  return new AppError(
    429,
    "rate_limited",
    `Too many requests. Please retry after ${retryAfterSeconds} seconds.`,
  );
}

/** The headers that tell a client how it stands; none for a request that is not limited. */
export function rateLimitHeaders(request: Request): [name: string, value: string][] {
  const decision = decisions.get(request);
  if (!decision) return [];
  return [
    ["x-ratelimit-limit", String(decision.limit)],
    ["x-ratelimit-remaining", String(decision.remaining)],
    ["x-ratelimit-reset", String(decision.resetsAt)],
    ...(decision.allowed
      ? []
      : [["retry-after", String(decision.retryAfterSeconds)] satisfies [string, string]]),
  ];
}
