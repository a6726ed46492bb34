/** What the pages of the SAML identity provider share: whom a request is about, and how a browser takes an answer along. */
import { randomBytes } from "node:crypto";
import type { Deps } from "../../deps.ts";
import type { PostedMessage, SamlOutcome } from "../../domain/saml-idp/flow.ts";
import { sealSamlInteraction } from "../../domain/saml-idp/interaction.ts";
import type { ChainStep } from "../../domain/saml-idp/logout-chain.ts";
import { findSamlClient, type SamlClient } from "../../domain/saml-idp/service.ts";
import { AppError, notFound } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { linkTo, type PageRequest, redirectTo, respondWithPage, shellOf } from "../http.ts";
import { renderFormPost } from "../pages/form-post.tsx";
import { renderPassingOn } from "../pages/passing-on.tsx";

/** @throws AppError 404, the same for one that is unknown, disabled or another tenant's */
export async function requireClient(deps: Deps, page: PageRequest, id: string): Promise<SamlClient> {
  const client = isId("samlClient", id) ? await findSamlClient(deps, page.tenant.id, id) : undefined;
  if (!client) throw notFound();
  return client;
}

/** Says of a message that was refused no more than that it was: why is for the log. */
export async function takingMessage(
  deps: Deps,
  page: PageRequest,
  client: SamlClient,
  take: () => Promise<Response>,
): Promise<Response> {
  try {
    return await take();
  } catch (error) {
    if (!(error instanceof SamlError)) throw error;
    const { requestId } = page.context;
    deps.log.info({ requestId, client: client.id, reason: error.reason }, "a SAML message was refused");
    throw new AppError(
      400,
      "saml_message_refused",
      "The application's message was not accepted. Please go back to the application and start again.",
      { cause: error },
    );
  }
}

/** Where each step that the person has to go through is. */
const PAGES = { login: "/signin", step_up: "/signin/step-up" } as const;

export function respondToSaml(deps: Deps, page: PageRequest, outcome: SamlOutcome): Response {
  if (outcome.kind === "post") return respondWithPost(deps, page, outcome);
  const sealed = sealSamlInteraction(deps, page.tenant, outcome.interaction);
  return redirectTo(page, linkTo(page, PAGES[outcome.page], { sealed }));
}

/** @param cookies to set on the way */
export function respondToChain(
  deps: Deps,
  page: PageRequest,
  step: ChainStep,
  cookies: readonly string[] = [],
): Response {
  // Without a session, the page there says that nobody is signed in any more.
  if (step.kind === "done") return redirectTo(page, linkTo(page, "/oauth/logout"), cookies);
  if (step.kind === "redirect" && !isElsewhereAfterForm(page, step.location))
    return redirectTo(page, step.location, cookies);
  const response =
    step.kind === "post"
      ? respondWithPost(deps, page, step)
      : respondWithPage(deps, page, renderPassingOn(shellOf(page), { url: step.location }));
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

const isElsewhereAfterForm = ({ request }: PageRequest, location: string) =>
  request.method === "POST" && /^https?:/.test(location);

/** SAML Bindings §3.5.4: a form that posts itself, or is posted by its button. */
function respondWithPost(deps: Deps, page: PageRequest, { action, fields }: PostedMessage): Response {
  const nonce = randomBytes(16).toString("base64");
  const html = renderFormPost(shellOf(page), { action, parameters: fields, nonce });
  return respondWithPage(deps, page, html, {
    headers: { formPost: true, scriptNonce: nonce, formActionTargets: [action] },
  });
}
