/** Single logout with identity providers, as browsers see it. */
import type { Deps } from "../../deps.ts";
import { startChain } from "../../domain/saml-idp/logout-chain.ts";
import { findSamlConnection } from "../../domain/saml-sp/identity-provider.ts";
import { type CarriedLogout, receiveLogout } from "../../domain/saml-sp/logout.ts";
import { textBody } from "../../http/text-body.ts";
import { notFound } from "../../lib/errors.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { linkTo, type PageRequest, redirectTo } from "../http.ts";
import { carry } from "./carry.ts";
import { respondToChain } from "./idp-answers.ts";
import { logRefusal } from "./sp-arrival.ts";

/** Our single logout service for an identity provider (SAML Profiles §4.4). @throws AppError 404; SamlError */
export async function answerSpLogout(
  deps: Deps,
  page: PageRequest,
  id: string,
  { body }: { body?: unknown } = {},
): Promise<Response> {
  const connection = await findSamlConnection(deps, page.tenant, id);
  if (!connection?.enabled) throw notFound();
  // HEAD is answered here too, and must not sign anybody out (RFC 9110 §9.2.1).
  if (page.request.method === "HEAD") return new Response(null);
  try {
    const answer = await receiveLogout(deps, page.tenant, connection, carriedBy(page, body), page.context);
    if (answer.kind === "send") {
      // The applications that the sessions signed in to are told first.
      const last = answer.message;
      const step = await startChain(deps, page.tenant, answer.ended, { last });
      return step === last ? carry(deps, page, last, { connection }) : respondToChain(deps, page, step);
    }
    // Without a session, the page there says that nobody is signed in any more.
    return redirectTo(page, answer.next ?? linkTo(page, "/oauth/logout"));
  } catch (error) {
    if (error instanceof SamlError) logRefusal(deps, page, connection, error);
    throw error;
  }
}

function carriedBy({ request }: PageRequest, body: unknown): CarriedLogout {
  if (request.method === "POST") return { binding: "post", form: new URLSearchParams(textBody(body)) };
  // As it came: what was signed is how it was spelt.
  const question = request.url.indexOf("?");
  return { binding: "redirect", query: question === -1 ? "" : request.url.slice(question + 1) };
}
