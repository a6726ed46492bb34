/**
 * The one client for requests to addresses that a tenant or a client supplied: jwks_uri, client metadata documents,
 * sector identifiers, discovery, back-channel logout, webhooks. Whoever writes such a URL must not be able to make this
 * server ask its own network on their behalf (server-side request forgery, RFC 9700 §4.12, OWASP SSRF).
 */
import { parseAllowance } from "./addresses.ts";
import { Deadline } from "./deadline.ts";
import { type DirectoryRequest, type DirectorySocket, openDirectory } from "./directory.ts";
import { OutboundError } from "./errors.ts";
import { exchange, type OutboundResponse } from "./exchange.ts";
import { type Resolve, resolveTarget, systemResolve, type Target, type TargetPolicy } from "./target.ts";

export type { DirectoryRequest, DirectorySocket } from "./directory.ts";
export { OutboundError, type OutboundRefusal } from "./errors.ts";
export type { OutboundResponse } from "./exchange.ts";

export interface OutboundRequest {
  /** GET unless told. */
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The Accept header. */
  readonly accept?: string;
  /** Of the answer's body; 64 KiB unless told. */
  readonly maxBytes?: number;
  /** For all of it, from the name to the last byte; 5 seconds unless told. */
  readonly timeoutMs?: number;
  /** How many redirects of a GET are followed, each checked like the first URL; the rest are answers. 0 unless told. */
  readonly redirects?: number;
}

export interface Outbound {
  /**
   * Any status is an answer, not an error.
   * @throws OutboundError and nothing else
   */
  request(url: string, request?: OutboundRequest): Promise<OutboundResponse>;
}

/** Connections to directories, under the same rules as requests. */
export interface Directories {
  /**
   * Connects to one (`ldaps:`, or `ldap:` with StartTLS), so that LDAP can be spoken.
   * @throws OutboundError and nothing else
   */
  open(url: string, request: DirectoryRequest): Promise<DirectorySocket>;
}

export interface OutboundOptions {
  /** Addresses, CIDR ranges and host names that may be reached although they are private. */
  readonly allowPrivate?: readonly string[];
  /** Whether those may be reached by `http:` too. */
  readonly allowPlain?: boolean;
  readonly resolve?: Resolve;
  /** PEM: the authorities to trust instead of the system's. */
  readonly ca?: string;
}

const policyOf = (options: OutboundOptions): TargetPolicy => ({
  allowance: parseAllowance(options.allowPrivate ?? []),
  allowPlain: options.allowPlain ?? false,
  resolve: options.resolve ?? systemResolve,
});

export function createDirectories(options: OutboundOptions = {}): Directories {
  const policy = policyOf(options);
  return { open: (url, request) => openDirectory(url, { ...request, ca: request.ca ?? options.ca }, policy) };
}

export function createOutbound(options: OutboundOptions = {}): Outbound {
  const policy = policyOf(options);
  return {
    async request(url, request = {}) {
      const timeoutMs = request.timeoutMs ?? 5000;
      const deadline = new Deadline(timeoutMs);
      try {
        return await follow(url, request, { policy, ca: options.ca, deadline });
      } finally {
        deadline.clear();
      }
    },
  };
}

interface Work {
  readonly policy: TargetPolicy;
  readonly ca: string | undefined;
  readonly deadline: Deadline;
}

async function follow(url: string, request: OutboundRequest, work: Work): Promise<OutboundResponse> {
  const target = await work.deadline.bound(resolveTarget(url, work.policy));
  const response = await askOneOf(target, request, work);
  const { location } = response.headers;
  const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined;
  const redirects = request.redirects ?? 0;
  if (!isRedirect || redirects === 0 || request.method === "POST") return response;
  const next = URL.canParse(location, target.url) ? new URL(location, target.url) : undefined;
  if (!next) throw new OutboundError("redirect", `${target.url.host} redirects to no URL`);
  const headers = next.origin === target.url.origin ? request.headers : undefined;
  return follow(next.href, { ...request, headers, redirects: redirects - 1 }, work);
}

/** The next address is tried only while none has been connected to: a request is sent at most once. */
async function askOneOf(target: Target, request: OutboundRequest, work: Work): Promise<OutboundResponse> {
  let failed: unknown;
  for (const [index, address] of target.addresses.entries()) {
    try {
      return await exchange({
        url: target.url,
        address,
        method: request.method ?? "GET",
        headers: {
          "user-agent": "Gatewright",
          "accept-encoding": "identity",
          ...(request.accept === undefined ? {} : { accept: request.accept }),
          ...request.headers,
        },
        body: request.body,
        maxBytes: request.maxBytes ?? 65_536,
        signal: work.deadline.signal,
        connectTimeoutMs: work.deadline.remainingMs() / (target.addresses.length - index),
        ca: work.ca,
      });
    } catch (error) {
      if (!(error instanceof OutboundError && error.reason === "unreachable")) throw error;
      failed = error;
    }
  }
  throw failed;
}
