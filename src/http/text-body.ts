/**
 * The body of a route with `parse: "text"` and no schema: with one, the API description would call every form plain
 * text. Its size is bounded for all routes by the server.
 * @returns the empty text for a request without a body
 */
export function textBody(body: unknown): string {
  return typeof body === "string" ? body : "";
}
