/** What a repeated request has to have in common with the first. Kept only where one says that it may be repeated. */

export const IDEMPOTENCY_KEY = "idempotency-key";

/** Bodies of our JSON routes are no longer than this; of others nothing is kept. */
const MOST_BYTES = 1024 * 1024;

const bodies = new WeakMap<Request, string>();

/** For who reads the body: it can be read once. */
export function noteBody(request: Request, text: string): void {
  if (request.headers.has(IDEMPOTENCY_KEY)) bodies.set(request, text);
}

/** @returns the query and the body as they came; undefined for a body that is too long to be compared */
export async function contentOf(request: Request): Promise<string | undefined> {
  const body = bodies.get(request) ?? (await unreadBody(request));
  return body === undefined ? undefined : `${new URL(request.url).search}\0${body}`;
}

/** Of a route that reads no JSON: the original stays to be read. */
async function unreadBody(request: Request): Promise<string | undefined> {
  if (!request.body) return "";
  if (request.bodyUsed || Number(request.headers.get("content-length") ?? Infinity) > MOST_BYTES)
    return undefined;
  return request.clone().text();
}
