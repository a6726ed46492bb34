/**
 * The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0 §2) and its pages. Browsers open it, so it lives with
 * the pages; its rules are in `protocol/oidc/rp-initiated-logout.ts`.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  type LogoutStep,
  openLogout,
  readLogout,
  sealLogout,
  signOutBrowser,
} from "../../domain/sessions/rp-initiated-logout.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { publicRoute } from "../../http/models.ts";
import { formBody, LogoutParameters, queryParameters } from "../../http/oauth-models.ts";
import { textBody } from "../../http/text-body.ts";
import { OAuthError } from "../../lib/errors.ts";
import { singleValued } from "../../protocol/oauth/parameters.ts";
import { expireCookie } from "../cookies.ts";
import {
  type FormFields,
  formTo,
  linkTo,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  sessionCookieOf,
  shellOf,
} from "../http.ts";
import { formDetail, pageForm, pageResponses } from "../models.ts";
import { byWayOfOthers } from "../saml/sign-out.ts";
import { renderLogout, renderSignedOut } from "../pages/logout.tsx";

const detail = {
  tags: ["OpenID Connect"],
  security: publicRoute,
  description:
    "OpenID Connect RP-Initiated Logout. Asks the person, unless an id_token_hint speaks of their present session; then shows a page, or sends them back to the application.",
};

export const logoutRoutes = (deps: Deps) =>
  new Elysia({ name: "web-logout" })
    .use(pageScope(deps))
    .get(
      "/oauth/logout",
      async ({ page: opened }) => {
        // HEAD is answered here too, and must not sign anybody out (RFC 9110 §9.2.1).
        if (opened.request.method === "HEAD") return new Response(null);
        const page = { ...opened, query: requestOf(deps, opened) };
        const session = page.session;
        const step = await readLogout(deps, {
          tenant: page.tenant,
          parameters: singleValued(page.query),
          session,
        });
        const { decision } = step;
        if (!session || decision.kind === "signed_out") return respondSignedOut(deps, page, step);
        if (decision.kind === "confirm") return askPerson(deps, page, step, session);
        return signOut(deps, page, step, session);
      },
      {
        response: pageResponses,
        detail: { ...detail, summary: "Sign out", parameters: queryParameters(LogoutParameters) },
      },
    )
    .post(
      "/oauth/logout",
      // The session cookie is SameSite=Lax and does not come with a form from another site, so the browser is sent
      // on to GET, where it does.
      ({ page, body }) => {
        const parameters = textBody(body);
        if (parameters.length > MOST_CHARACTERS) {
          throw new OAuthError("invalid_request", "The logout request is too long.");
        }
        const carried = sealLogout(deps, page.tenant, parameters);
        return redirectTo(page, `${page.base}/oauth/logout?${new URLSearchParams({ [CARRIED]: carried })}`);
      },
      {
        parse: "text",
        response: pageResponses,
        detail: {
          ...detail,
          summary: "Sign out with a form",
          requestBody: formBody(LogoutParameters, { required: false }),
        },
      },
    )
    .post(
      "/oauth/logout/confirm",
      async ({ page, body }) => {
        const session = page.session;
        const field = readPageForm(deps, page, body, session);
        if (session && field("decision") === "stay") return redirectTo(page, linkTo(page, "/account"));
        const step = await readLogout(deps, {
          tenant: page.tenant,
          parameters: singleValued(inForm(field)),
          session,
        });
        return session ? signOut(deps, page, step, session) : respondSignedOut(deps, page, step);
      },
      {
        ...pageForm,
        response: pageResponses,
        detail: formDetail("Sign out, or stay signed in, with the page's form"),
      },
    );

/** What the browser has to carry in an address; longer ones are cut off by servers and proxies. */
const MOST_CHARACTERS = 8000;

/** The parameter by which a posted request comes to GET. */
const CARRIED = "carried";

/** @throws OAuthError invalid_request when what the browser carried is too old, or not ours */
function requestOf(deps: Deps, page: PageRequest): URLSearchParams {
  const carried = page.query.get(CARRIED);
  if (carried === null) return page.query;
  const search = openLogout(deps, page.tenant, carried);
  if (search !== undefined) return new URLSearchParams(search);
  throw new OAuthError("invalid_request", "The logout request is too old. Please try again.");
}

/** What the page's form says of the request. Not the hint: the person's own click stands in for it. */
const IN_FORM = ["client_id", "post_logout_redirect_uri", "state"] as const;

const inForm = (field: FormFields) =>
  new URLSearchParams(IN_FORM.map((name): [string, string] => [name, field(name)]));

function askPerson(
  deps: Deps,
  page: PageRequest,
  { decision, client }: LogoutStep,
  session: Session,
): Response {
  const { redirectUri } = decision;
  const hidden = IN_FORM.flatMap((name): [string, string][] => {
    const value = name === "client_id" ? client?.clientId : page.query.get(name);
    return value ? [[name, value]] : [];
  });
  const html = renderLogout(shellOf(page), {
    form: formTo(deps, page, "/oauth/logout/confirm", undefined, session),
    hidden: Object.fromEntries(hidden),
    user: session.user.email ?? session.user.username,
    client: client?.name,
  });
  return respondWithPage(deps, page, html, {
    headers: redirectUri === undefined ? {} : { formActionTargets: [redirectUri] },
  });
}

async function signOut(
  deps: Deps,
  page: PageRequest,
  { decision, client }: LogoutStep,
  session: Session,
): Promise<Response> {
  await signOutBrowser(deps, page.tenant, session, page.context);
  const cookies = [expireCookie(sessionCookieOf(page.tenant))];
  const next = decision.redirectUri ?? linkTo(page, "/oauth/logout");
  const others = await byWayOfOthers(deps, page, next, cookies);
  if (others) return others;
  if (decision.redirectUri !== undefined) return redirectTo(page, decision.redirectUri, cookies);
  const response = respondSignedOut(deps, page, { decision, client });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

function respondSignedOut(deps: Deps, page: PageRequest, { decision, client }: LogoutStep): Response {
  const { redirectUri } = decision;
  if (redirectUri !== undefined && decision.kind === "signed_out" && decision.automatic) {
    return redirectTo(page, redirectUri);
  }
  const html = renderSignedOut(shellOf(page), {
    signInUrl: linkTo(page, "/signin"),
    back: client && redirectUri !== undefined ? { client: client.name, url: redirectUri } : undefined,
  });
  return respondWithPage(deps, page, html);
}
