/** Sign-in through social providers, companies' OpenID providers and OAuth servers. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { FederationRefusal } from "../../domain/federation/refusals.ts";
import { isTripToken } from "../../domain/federation/round-trip.ts";
import { openText, sealText } from "../../lib/master-keys.ts";
import { textBody } from "../../http/text-body.ts";
import { linkTo, type PageRequest, pageScope, redirectTo } from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { pageAuthorization } from "../page-authorization.ts";
import { answerFederationProblem } from "./after.ts";
import { arrive, failToClient } from "./arrival.ts";
import { depart, properPlace, requireConnection } from "./departure.ts";

const Provider = t.Object({
  provider: t.String({ maxLength: 64, description: "The connection's key, or its id" }),
});

const responses = {
  ...pageResponses,
  409: pageResponses[400],
  502: pageResponses[400],
} as const;

export const socialRoutes = (deps: Deps) =>
  new Elysia({ name: "web-social" })
    .use(pageScope(deps))
    .get("/oauth/social/:provider", async ({ page, params }) => begin(deps, page, params.provider), {
      params: Provider,
      response: responses,
      detail: pageDetail("Sign in through a connection"),
    })
    .get(
      "/oauth/social/:provider/cancel",
      async ({ page }) => {
        const sealed = page.query.get("interaction") ?? "";
        const answered = await failToClient(deps, page, sealed, "access_denied");
        return answered ?? redirectTo(page, linkTo(page, "/signin"));
      },
      {
        params: Provider,
        response: responses,
        detail: pageDetail("Go back to the application without signing in"),
      },
    )
    .get(
      "/oauth/social/:provider/callback",
      // HEAD is answered here too, and must not end a trip.
      async ({ page, params }) =>
        page.request.method === "HEAD"
          ? new Response(null)
          : arrive(deps, page, params.provider, answerOf(deps, page)),
      {
        params: Provider,
        response: responses,
        detail: pageDetail("Redirect URI of a connection (RFC 6749 §3.1.2)"),
      },
    )
    .post(
      "/oauth/social/:provider/callback",
      async ({ page, params, body }) => {
        // A form from another site brings no cookie of ours (SameSite=Lax), so that nothing can be done with it here. The
        // browser takes it along to an address of ours, where its cookie is sent; sealed, for the address is remembered.
        const form = new URLSearchParams(textBody(body));
        if (!isTripToken(form.get("state") ?? ""))
          return answerFederationProblem(deps, page, new FederationRefusal("trip_lost"), {});
        const answer = sealAnswer(deps, page, form);
        const path = `/oauth/social/${encodeURIComponent(params.provider)}/callback`;
        return redirectTo(page, `${page.base}${path}?${new URLSearchParams({ answer })}`);
      },
      {
        ...pageForm,
        params: Provider,
        response: responses,
        detail: formDetail("Redirect URI of a connection, for `form_post`"),
      },
    );

async function begin(deps: Deps, page: PageRequest, key: string): Promise<Response> {
  const elsewhere = properPlace(deps, page);
  if (elsewhere !== undefined) return redirectTo(page, elsewhere);
  const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
  try {
    const connection = await requireConnection(deps, page, key);
    if (connection.kind === "saml") {
      return redirectTo(page, linkTo(page, `/saml/${connection.id}/login`, authorization));
    }
    const loginHint = page.query.get("login_hint")?.slice(0, 254);
    const url = await depart(deps, page, connection, { purpose: "sign_in", authorization, loginHint });
    return redirectTo(page, url.href);
  } catch (error) {
    return answerFederationProblem(deps, page, error, { authorization });
  }
}

const ANSWER_SECONDS = 60;
/** What is read of an answer; the rest is left behind. */
const ANSWER_PARAMETERS = ["code", "state", "iss", "error", "user"];
const MOST_CHARACTERS = 6000;

function sealAnswer(deps: Deps, page: PageRequest, form: URLSearchParams): string {
  const answer = [...form].filter(([name]) => ANSWER_PARAMETERS.includes(name));
  const text = JSON.stringify({ at: deps.clock.now().getTime(), answer });
  // One that no browser could carry is none.
  const plaintext = text.length <= MOST_CHARACTERS ? text : JSON.stringify({ at: 0, answer: [] });
  return sealText(deps.secrets.interactions, plaintext, answerContext(page));
}

const answerContext = ({ tenant }: PageRequest) => `federation-answer/${tenant.id}`;

function answerOf(deps: Deps, page: PageRequest): URLSearchParams {
  const sealed = page.query.get("answer");
  if (sealed === null) return page.query;
  const plaintext = openText(deps.secrets.interactions, sealed, answerContext(page));
  if (!plaintext) return new URLSearchParams();
  const { at, answer }: { at: number; answer: string[][] } = JSON.parse(plaintext);
  const isFresh = deps.clock.now().getTime() - at <= ANSWER_SECONDS * 1000;
  return new URLSearchParams(isFresh ? answer.map(([name = "", value = ""]) => [name, value]) : []);
}
