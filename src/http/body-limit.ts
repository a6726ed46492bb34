/** How large a request's body may be. */
import { MOST_FILE_BYTES } from "../domain/user-import/model.ts";
import { MOST_BULK_BYTES } from "../protocol/scim/bulk.ts";

/** Bodies are forms and small JSON. */
const MOST_BYTES = 1024 * 1024;

/** What the server reads of any request. */
export const MOST_BYTES_OF_ANY = MOST_FILE_BYTES;

/**
 * Others are longer on a few paths, whose callers are known before anything of a body is looked at: a directory sends a
 * thousand changes in one bulk request, or fifty thousand members of a group in one PATCH; an administrator sends all the
 * users of another system, in a file that goes to the storage as it comes.
 */
const limitOf = (path: string) => {
  if (/^\/scim\/v2(?:\/|$)/.test(path)) return MOST_BULK_BYTES;
  return path === "/api/v1/admin/users/import" ? MOST_FILE_BYTES : MOST_BYTES;
};

/**
 * The request, if its body is within the limit of its path; undefined for one that is not. A body that says its length
 * is not read for it; one that comes in chunks is, and goes on in one piece: but for a file, whose route counts.
 */
export function withinLimit(
  request: Request,
  path: string,
): Request | undefined | Promise<Request | undefined> {
  const limit = limitOf(path);
  const declared = request.headers.get("content-length");
  if (declared !== null) return Number(declared) <= limit ? request : undefined;
  return request.body && limit < MOST_BYTES_OF_ANY ? readWithin(request, request.body, limit) : request;
}

async function readWithin(
  request: Request,
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Request | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return new Request(request, { method: request.method, body: Buffer.concat(chunks) });
}
