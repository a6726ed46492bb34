/** Form bodies of OAuth endpoints, read as they came: a parser into an object would hide repeated parameters. */
import { textBody } from "../../http/text-body.ts";
import { OAuthError } from "../../lib/errors.ts";

const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** Media types are compared without case (RFC 9110 §8.3.1). */
export const isForm = (request: Request) => FORM.test(request.headers.get("content-type") ?? "");

/** @throws OAuthError invalid_request for any other content type (RFC 6749 §3.2, appendix B) */
export function readForm(request: Request, body: unknown): URLSearchParams {
  if (!isForm(request)) {
    throw new OAuthError("invalid_request", "The body must be application/x-www-form-urlencoded.");
  }
  return new URLSearchParams(textBody(body));
}
