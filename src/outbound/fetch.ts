import type { Outbound } from "./client.ts";

/** What libraries ask their `fetch` for. */
export interface FetchedRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Room for a provider's metadata, keys and tokens, some of which are talkative. */
const MAX_BYTES = 256 * 1024;

/**
 * The outbound client in the shape of `fetch`, for libraries that are given one. Redirects are answers: none is followed.
 * @throws OutboundError
 */
export function outboundFetch(
  outbound: Outbound,
): (url: string, request: FetchedRequest) => Promise<Response> {
  return async (url, { method, headers, body }) => {
    if (method !== "GET" && method !== "POST") throw new TypeError(`${method} is not sent to others`);
    const answer = await outbound.request(url, {
      method,
      headers: { ...headers },
      ...(body === undefined || body === null ? {} : { body: String(body) }),
      maxBytes: MAX_BYTES,
    });
    const bodiless = [101, 204, 205, 304].includes(answer.status);
    return new Response(bodiless ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers,
    });
  };
}
