/** Form bodies of OAuth endpoints, read as they came: a parser into an object would hide repeated parameters. */
import { textBody } from "../../http/text-body.ts";
import { OAuthError } from "../../lib/errors.ts";

const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** @throws OAuthError invalid_request for any other content type (RFC 6749 §3.2, appendix B) */
export function readForm(request: Request, body: unknown): URLSearchParams {
  if (!FORM.test(request.headers.get("content-type") ?? "")) {
    throw new OAuthError("invalid_request", "The body must be application/x-www-form-urlencoded.");
  }
  return new URLSearchParams(textBody(body));
}
