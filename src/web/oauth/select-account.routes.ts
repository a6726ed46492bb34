/** The page that prompt=select_account asks for (OpenID Connect Core §3.1.2.1). */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { selectAccount } from "../../domain/authorization/flow.ts";
import { requireAuthorization, respondToOutcome } from "./authorization-pages.ts";
import { formTo, linkTo, pageScope, readPageForm, redirectTo, respondWithPage, shellOf } from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderSelectAccount } from "../pages/select-account.tsx";

const PATH = "/oauth/select-account";

export const selectAccountRoutes = (deps: Deps) =>
  new Elysia({ name: "web-select-account" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) => {
        const authorization = await requireAuthorization(deps, page, page.query.get("interaction"));
        const session = page.session;
        if (!session) return redirectTo(page, linkTo(page, "/oauth/authorize", authorization));
        const html = renderSelectAccount(shellOf(page, authorization), {
          form: formTo(deps, page, PATH, authorization, session),
          user: session.user.email ?? session.user.username,
          otherAccountUrl: linkTo(page, "/signin", authorization),
        });
        return respondWithPage(deps, page, html, { authorization });
      },
      { response: pageResponses, detail: pageDetail("Account page") },
    )
    .post(
      PATH,
      async ({ page, body }) => {
        const session = page.session;
        const field = readPageForm(deps, page, body, session);
        const authorization = await requireAuthorization(deps, page, field("interaction"));
        if (!session) return redirectTo(page, linkTo(page, "/oauth/authorize", authorization));
        const { tenant, context } = page;
        const { interaction } = authorization;
        const outcome = await selectAccount(deps, { tenant, interaction, session, context });
        return respondToOutcome(deps, page, outcome);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Go on with the account of the session") },
    );
