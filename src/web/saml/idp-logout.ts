import type { Deps } from "../../deps.ts";
import { takeLogout } from "../../domain/saml-idp/logout.ts";
import { textBody } from "../../http/text-body.ts";
import type { PageRequest } from "../http.ts";
import { requireClient, respondToChain, takingMessage } from "./idp-answers.ts";

/**
 * The single logout service for an application, by either binding (SAML Profiles §4.4).
 * @param body of a form; undefined: the message is in the address
 * @throws AppError 404; 400 for a message that is refused
 */
export async function answerIdpLogout(
  deps: Deps,
  page: PageRequest,
  id: string,
  { body }: { body?: unknown } = {},
): Promise<Response> {
  const client = await requireClient(deps, page, id);
  // HEAD is answered here too, and must not sign anybody out (RFC 9110 §9.2.1).
  if (page.request.method === "HEAD") return new Response(null);
  const { tenant, context } = page;
  const transport =
    page.request.method === "POST"
      ? { fields: new URLSearchParams(textBody(body)) }
      : { query: new URL(page.request.url).search.slice(1) };
  return takingMessage(deps, page, client, async () =>
    respondToChain(deps, page, await takeLogout(deps, { tenant, client, context }, transport)),
  );
}
