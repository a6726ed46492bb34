/**
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a client that did not get its answer sends the request
 * again, and gets the answer of the first time. Declared once, by the scopes whose routes take it; a request without the
 * header costs one look for it.
 */
import type { Deps } from "../deps.ts";
import { abandon, type Attempt, begin, finish, type StoredAnswer } from "../domain/idempotency/service.ts";
import { AppError, badRequest } from "../lib/errors.ts";
import type { Id } from "../lib/ids.ts";
import { contentOf, IDEMPOTENCY_KEY } from "./idempotency-content.ts";

/** Visible ASCII; as a Structured Field string it comes in quotes (§2.1), which most clients leave out. */
const KEY = /^(?:"([\x21\x23-\x5B\x5D-\x7E]{1,255})"|([\x21-\x7E]{1,255}))$/;

/** Who asks, for what. */
export interface Asked {
  readonly tenantId: Id<"tenant">;
  /** Nobody else is ever given the answer. */
  readonly principal: string;
}

const attempts = new WeakMap<Request, Attempt>();

/**
 * To be asked before a POST is executed, and after its caller is known.
 * @returns the answer of the first time; undefined where the request is to be executed
 * @throws AppError 400 for a key that is none; 409 while the first one is under way; 422 for a key that was another
 *   request's
 */
export async function answeredBefore(
  deps: Deps,
  request: Request,
  { tenantId, principal }: Asked,
): Promise<Response | undefined> {
  const key = request.method === "POST" ? readKey(request.headers.get(IDEMPOTENCY_KEY)) : undefined;
  if (key === undefined) return undefined;
  const content = await contentOf(request);
  if (content === undefined)
    throw badRequest("A request with so long a body cannot have an Idempotency-Key.");
  const { method } = request;
  const path = new URL(request.url).pathname;
  const begun = await begin(deps, { tenantId, principal, method, path, key, content });
  switch (begun.kind) {
    case "execute":
      attempts.set(request, begun.attempt);
      return undefined;
    case "replay":
      return replayed(begun.answer);
    case "reused":
      throw new AppError(
        422,
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request. Use a new one for each request.",
      );
    case "in_progress":
      throw new AppError(
        409,
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is still being worked on. Please try again.",
        { headers: { "retry-after": String(begun.retryAfterSeconds) } },
      );
  }
}

function readKey(header: string | null): string | undefined {
  if (header === null) return undefined;
  const [, quoted, bare] = KEY.exec(header) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) throw badRequest("Idempotency-Key must be 1 to 255 visible ASCII characters.");
  return key;
}

/**
 * Answers that say nothing of the request itself, but of the moment: who signs in again, or waits, may send it again by
 * the same key.
 */
const OF_THE_MOMENT = new Set([401, 403, 408, 425, 429]);
const MOST_CHARACTERS = 1024 * 1024;
/** Others are made anew for each response. */
const KEPT_HEADERS = ["content-type", "location", "cache-control", "pragma", "etag", "link"];

/**
 * Keeps the answer of a request that was executed for its key, whatever rendered it. For the gateway, which sees every
 * response.
 */
export function settled(deps: Deps, request: Request, response: Response): Response | Promise<Response> {
  const attempt = attempts.get(request);
  return attempt ? settle(deps, attempt, response) : response;
}

async function settle(deps: Deps, attempt: Attempt, response: Response): Promise<Response> {
  const { status } = response;
  const body = await response.text();
  const again = status >= 500 || OF_THE_MOMENT.has(status) || body.length > MOST_CHARACTERS;
  try {
    if (again || response.headers.has("set-cookie")) await abandon(deps, attempt);
    else await finish(deps, attempt, { status, headers: keptHeaders(response), body });
  } catch (err) {
    // What was asked for is done; only a repetition will not know so, once the lease is over.
    deps.log.error({ err }, "the answer to a request with an Idempotency-Key could not be kept");
  }
  return new Response(body === "" ? null : body, { status, headers: response.headers });
}

function keptHeaders({ headers }: Response): [string, string][] {
  return KEPT_HEADERS.flatMap((name): [string, string][] => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
}

function replayed({ status, headers, body }: StoredAnswer): Response {
  const response = new Response(body === "" ? null : body, {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  });
  response.headers.set("idempotency-replayed", "true");
  return response;
}
