/** An administrator's sign-in as a user: from its one-time link to its end. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { findImpersonated, startImpersonation } from "../../domain/impersonation/service.ts";
import { endSession } from "../../domain/sessions/service.ts";
import { AppError } from "../../lib/errors.ts";
import { expireCookie, serializeCookie } from "../cookies.ts";
import {
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
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import {
  renderImpersonate,
  renderImpersonationEnded,
  renderImpersonationExpired,
} from "../pages/impersonation.tsx";

const PATH = "/impersonate";
const ENDED_PATH = "/impersonation";

export const impersonationRoutes = (deps: Deps) =>
  new Elysia({ name: "web-impersonation" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) => {
        const token = page.query.get("token") ?? "";
        const found = await findImpersonated(deps, page.tenant, token, page.session);
        if (!found) return showExpired(deps, page);
        const html = renderImpersonate(shellOf(page), {
          token,
          form: formTo(deps, page, PATH, undefined, page.session),
          user: nameOf(found.user),
          by: nameOf(found.impersonator),
        });
        return respondWithPage(deps, page, html);
      },
      { response: pageResponses, detail: pageDetail("Page of an administrator's link to sign in as a user") },
    )
    .post(
      PATH,
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body, page.session);
        try {
          const { tenant, session, context } = page;
          const started = await startImpersonation(deps, tenant, field("token"), session, context);
          // Gone with the browser, whatever the lifetime: nobody comes back to it by accident.
          const cookie = serializeCookie(sessionCookieOf(tenant), started.cookie ?? "");
          return redirectTo(page, linkTo(page, "/account"), [cookie]);
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "invalid_token") throw error;
          return showExpired(deps, page);
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign in as a user, by a one-time link") },
    )
    .get(ENDED_PATH, ({ page }) => respondWithPage(deps, page, renderImpersonationEnded(shellOf(page))), {
      response: pageResponses,
      detail: pageDetail("Page that says that an administrator's sign-in as a user is over"),
    })
    .post(
      "/impersonation/end",
      async ({ page, body }) => {
        const { session, tenant, context } = page;
        readPageForm(deps, page, body, session);
        if (session?.impersonation) {
          const ended = { tenantId: tenant.id, id: session.id, userId: session.user.id };
          const actor = { type: "user", id: session.user.id } as const;
          await endSession(deps, ended, { actor, context, includingOffline: true });
        }
        const cookies = session?.impersonation ? [expireCookie(sessionCookieOf(tenant))] : [];
        return redirectTo(page, linkTo(page, ENDED_PATH), cookies);
      },
      {
        ...pageForm,
        response: pageResponses,
        detail: formDetail("End an administrator's sign-in as a user"),
      },
    );

const nameOf = (user: { email: string | null; username: string }) => user.email ?? user.username;

function showExpired(deps: Deps, page: PageRequest): Response {
  return respondWithPage(deps, page, renderImpersonationExpired(shellOf(page)), { status: 400 });
}
