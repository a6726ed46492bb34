/**
 * What happens to every request before and after the router: its id, its address, the tenant in its path, one
 * spelling of each path, CORS and the access log. A plain function around the router, so that no route can be
 * registered past it.
 */
import type { Server } from "bun";
import type { Deps } from "../deps.ts";
import { newId } from "../lib/ids.ts";
import { createRequestLog } from "../lib/log.ts";
import { withinLimit } from "./body-limit.ts";
import { clientIpReader } from "./client-ip.ts";
import { deprecationHeaders } from "./deprecation.ts";
import { settled } from "./idempotency.ts";
import type { HttpMetrics } from "./metrics.ts";
import { rateLimitHeaders } from "./rate-limit/plugin.ts";
import { setRequestInfo } from "./request-info.ts";

export type Handler = (request: Request) => Promise<Response> | Response;
type PeerLookup = Pick<Server<unknown>, "requestIP">;

const EXPOSED_HEADERS = [
  "X-Request-Id",
  "WWW-Authenticate",
  "DPoP-Nonce",
  "Retry-After",
  "Idempotency-Replayed",
  "Deprecation",
  "Sunset",
  "Link",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
].join(", ");
const REQUEST_ID = /^[\w.:-]{1,128}$/;
const TENANT_PATH = /^\/t\/([^/]+)(\/.*)?$/;
/** RFC 8414 §3.1 puts the well-known part before an issuer's path; §5 lets both forms be served. */
const TENANT_METADATA = /^(\/\.well-known\/(?:oauth-authorization-server|openid-configuration))\/t\/([^/]+)$/;

export function createGateway(deps: Deps, handle: Handler, metrics: HttpMetrics) {
  const clientIp = clientIpReader(deps.config.trustedProxies);
  const cors = corsHeaders(deps.config.allowedOrigins);
  const logRequest = createRequestLog(deps.log);

  return async function fetch(request: Request, server?: PeerLookup): Promise<Response> {
    const started = performance.now();
    const url = URL.parse(request.url);
    // A Host header that is none leaves a URL that is none.
    if (!url) return new Response(null, { status: 400 });
    const offered = request.headers.get("x-request-id");
    const requestId = offered && REQUEST_ID.test(offered) ? offered : newId("request");
    const { path, tenantSlug } = splitTenant(url.pathname);

    const bounded = await withinLimit(request, path);
    const received = bounded ?? new Request(url, { headers: request.headers });
    const routed = tenantSlug === undefined ? received : new Request(withPath(url, path), received);
    setRequestInfo(routed, {
      requestId,
      ip: clientIp(server?.requestIP(request)?.address, request.headers.get("x-forwarded-for")),
      userAgent: request.headers.get("user-agent")?.slice(0, 512) ?? undefined,
      tenantSlug,
      host: request.headers.get("host") ?? url.host,
    });

    const response =
      (bounded ? undefined : new Response(null, { status: 413, headers: { connection: "close" } })) ??
      withoutTrailingSlash(request.method, url) ??
      (isPreflight(request)
        ? new Response(null, { status: 204 })
        : await settled(deps, routed, await handle(routed)));
    response.headers.set("x-request-id", requestId);
    for (const [name, value] of rateLimitHeaders(routed)) response.headers.set(name, value);
    for (const [name, value] of deprecationHeaders(routed)) response.headers.append(name, value);
    for (const [name, value] of cors(request.headers.get("origin"))) {
      if (name === "vary") response.headers.append(name, value);
      else response.headers.set(name, value);
    }

    const seconds = (performance.now() - started) / 1000;
    metrics.observe(request.method, response.status, seconds);
    const { status } = response;
    logRequest({
      requestId,
      method: request.method,
      path: url.pathname,
      status,
      ms: Math.round(seconds * 1000),
    });
    return response;
  };
}

/** Sets the path alone: read as a relative reference, a path that begins with two slashes would name another host. */
function withPath(url: URL, path: string): URL {
  const changed = new URL(url);
  changed.pathname = path;
  return changed;
}

function splitTenant(pathname: string): { path: string; tenantSlug: string | undefined } {
  const [, slug, rest] = TENANT_PATH.exec(pathname) ?? [];
  if (slug !== undefined) return { path: rest ?? "/", tenantSlug: slug };
  const [, metadata, metadataSlug] = TENANT_METADATA.exec(pathname) ?? [];
  if (metadata !== undefined) return { path: metadata, tenantSlug: metadataSlug };
  return { path: pathname, tenantSlug: undefined };
}

/** One spelling of each path: 301 where the method stays GET by itself, 308 where it has to be kept. */
function withoutTrailingSlash(method: string, url: URL): Response | undefined {
  if (url.pathname === "/" || !url.pathname.endsWith("/")) return undefined;
  // Leading slashes are folded too: "//evil.example/" would become a redirect to another host.
  const path = `/${url.pathname.replace(/^\/+|\/+$/g, "")}`;
  const status = method === "GET" || method === "HEAD" ? 301 : 308;
  return new Response(null, { status, headers: { location: path + url.search } });
}

function isPreflight(request: Request): boolean {
  return (
    request.method === "OPTIONS" &&
    request.headers.has("origin") &&
    request.headers.has("access-control-request-method")
  );
}

/** No credentials are allowed across origins: cookies are for our own pages, applications use Bearer tokens. */
function corsHeaders(allowedOrigins: readonly string[]) {
  const allowed = new Set(allowedOrigins.map((origin) => origin.replace(/\/$/, "").toLowerCase()));
  const any = allowed.has("*");
  return function headersFor(origin: string | null): readonly [string, string][] {
    if (allowed.size === 0) return [];
    const vary: [string, string] = ["vary", "Origin"];
    if (!origin || !(any || allowed.has(origin.toLowerCase()))) return any ? [] : [vary];
    return [
      ["access-control-allow-origin", any ? "*" : origin],
      ["access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"],
      [
        "access-control-allow-headers",
        "Accept, Authorization, Content-Type, DPoP, Idempotency-Key, X-Request-Id, X-Org-Context",
      ],
      ["access-control-expose-headers", EXPOSED_HEADERS],
      ["access-control-max-age", "300"],
      vary,
    ];
  };
}
