import { randomBytes } from "node:crypto";
import type { Deps } from "../../deps.ts";
import type { OutgoingMessage } from "../../domain/saml-sp/outgoing.ts";
import { showLeaving } from "../federation/departure.ts";
import { type PageRequest, redirectTo, respondWithPage, shellOf } from "../http.ts";
import type { PageAuthorization } from "../page-authorization.ts";
import { renderFormPost } from "../pages/form-post.tsx";

/** Has the browser take a message of ours to an identity provider, by whichever binding. */
export function carry(
  deps: Deps,
  page: PageRequest,
  message: OutgoingMessage,
  to: { connection: { readonly name: string }; authorization?: PageAuthorization | undefined },
): Response {
  const { connection, authorization } = to;
  if (message.kind === "redirect") {
    // What follows a form of ours may not lead elsewhere by a redirect (`form-action`).
    const ours =
      page.request.method === "POST" && page.request.headers.get("sec-fetch-site") !== "cross-site";
    return ours
      ? showLeaving(deps, page, connection, message.location, authorization)
      : redirectTo(page, message.location);
  }
  const nonce = randomBytes(16).toString("base64");
  const { action, fields } = message;
  const html = renderFormPost(shellOf(page, authorization), { action, parameters: fields, nonce });
  return respondWithPage(deps, page, html, {
    headers: { formPost: true, scriptNonce: nonce, formActionTargets: [action] },
  });
}
