import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { signInBrowser } from "../../domain/accounts/sign-in.ts";
import { connectionForEmail } from "../../domain/connections/service.ts";
import { showLeaving } from "../federation/departure.ts";
import { connectionUrl, wantedConnection, leadsElsewhere } from "../federation/home-realm.ts";
import { deviceTokenOf, linkTo, pageAuthorization, pageScope, readPageForm, redirectTo } from "../http.ts";
import { answerFederationProblem } from "../federation/after.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import type { SignInNotice } from "../pages/sign-in.tsx";
import { afterFirstFactor } from "./sign-in-step.ts";
import { showSignIn, signInProblem } from "./sign-in.ts";

/** What the sign-in page may be told by the page before it, as `?notice=`. */
const NOTICES: readonly SignInNotice[] = ["email_verified", "password_reset", "signed_out"];

export const signInRoutes = (deps: Deps) =>
  new Elysia({ name: "web-sign-in" })
    .use(pageScope(deps))
    .get(
      "/signin",
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        // An application that asks for a sign-in has its reasons; without one, who is signed in has no need to.
        const again = authorization !== undefined || page.query.has("again");
        if (!again && page.session) return redirectTo(page, linkTo(page, "/account"));
        const elsewhere = page.query.has("choose")
          ? undefined
          : await wantedConnection(deps, page, authorization);
        if (elsewhere) return redirectTo(page, connectionUrl(page, elsewhere, authorization));
        const told = page.query.get("notice");
        return showSignIn(deps, page, {
          authorization,
          identifier: authorization?.loginHint,
          notice: NOTICES.find((known) => known === told),
          alert: told === "second_factor_expired" ? "expired" : undefined,
        });
      },
      { response: pageResponses, detail: pageDetail("Sign-in page") },
    )
    .post(
      "/signin",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const credentials = {
          identifier: field("identifier").trim().slice(0, 254),
          password: field("password").slice(0, 1024),
          rememberMe: field("remember_me") === "true",
          deviceToken: deviceTokenOf(page),
        };
        if (credentials.password === "") {
          const connection = await connectionForEmail(deps, page.tenant, credentials.identifier);
          if (connection && leadsElsewhere(connection)) {
            const url = connectionUrl(page, connection, authorization, credentials.identifier);
            return showLeaving(deps, page, connection, url, authorization);
          }
          const { identifier, rememberMe } = credentials;
          return showSignIn(deps, page, { authorization, identifier, rememberMe, passwordMissing: true });
        }
        const before = page.session;
        try {
          const step = await signInBrowser(deps, page.tenant, credentials, before, page.context);
          return afterFirstFactor(deps, page, step, authorization);
        } catch (error) {
          const problem = signInProblem(error);
          // Of a directory whose password it was.
          if (!problem) return answerFederationProblem(deps, page, error, { authorization });
          const { identifier, rememberMe } = credentials;
          return showSignIn(deps, page, { authorization, problem, identifier, rememberMe });
        }
      },
      {
        ...pageForm,
        response: { ...pageResponses, 409: pageResponses[400], 502: pageResponses[400] },
        detail: formDetail("Sign in with the page's form"),
      },
    );
