/** What people end on their account page: sign-ins elsewhere, and the access of applications. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { revokeGrant } from "../../domain/grants/service.ts";
import { revokeOtherSessions, revokeOwnSession } from "../../domain/sessions/ending.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { AppError, notFound } from "../../lib/errors.ts";
import { isId } from "../../lib/ids.ts";
import { type FormFields, linkTo, type PageRequest, pageScope, readPageForm, redirectTo } from "../http.ts";
import { formDetail, pageForm, pageResponses } from "../models.ts";
import type { AccountNotice } from "../pages/account.tsx";

export const accountAccessRoutes = (deps: Deps) =>
  new Elysia({ name: "web-account-access" })
    .use(pageScope(deps))
    .post(
      "/account/sessions/end",
      ({ page, body }) =>
        change(deps, page, body, "session_ended", async ({ user }, field) => {
          const id = field("session_id");
          if (!isId("session", id)) throw notFound("You have no such session.");
          await revokeOwnSession(
            deps,
            { tenantId: page.tenant.id, id, userId: user.id },
            { actor: { type: "user", id: user.id }, context: page.context },
          );
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("End one of the person's sessions") },
    )
    .post(
      "/account/sessions/end-others",
      ({ page, body }) =>
        change(deps, page, body, "sessions_ended", ({ user, id }) =>
          revokeOtherSessions(deps, user, {
            actor: { type: "user", id: user.id },
            context: page.context,
            except: id,
          }),
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("End all of the person's other sessions") },
    )
    .post(
      "/account/grants/revoke",
      ({ page, body }) =>
        change(deps, page, body, "grant_revoked", async ({ user }, field) => {
          const grantId = field("grant_id");
          if (!isId("grant", grantId)) throw notFound("You have granted no such access.");
          await revokeGrant(deps, { user, grantId, context: page.context });
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Take access back from an application") },
    );

/** The form belongs to the session that it was shown in: nobody ends anything for who signed in since. */
async function change(
  deps: Deps,
  page: PageRequest,
  body: unknown,
  notice: AccountNotice,
  act: (session: Session, field: FormFields) => Promise<void>,
): Promise<Response> {
  const session = page.session;
  const field = readPageForm(deps, page, body, session);
  if (!session) return redirectTo(page, linkTo(page, "/signin"));
  try {
    await act(session, field);
  } catch (error) {
    // It has ended by itself since the page was shown: what the person wanted is so.
    if (!(error instanceof AppError) || error.status !== 404) throw error;
  }
  return redirectTo(page, `${page.base}/account?${new URLSearchParams({ notice })}`);
}
