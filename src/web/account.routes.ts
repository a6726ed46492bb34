import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import { requestEmailVerification } from "../domain/accounts/email-verification.ts";
import { endSession } from "../domain/sessions/service.ts";
import { expireCookie } from "./cookies.ts";
import {
  currentSession,
  formTo,
  linkTo,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  sessionCookieOf,
  shellOf,
} from "./http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "./models.ts";
import { renderAccount } from "./pages/account.tsx";
import { renderLanding } from "./pages/landing.tsx";

export const accountRoutes = (deps: Deps) =>
  new Elysia({ name: "web-account" })
    .use(pageScope(deps))
    .get(
      "/",
      async ({ page }) => {
        if (await currentSession(deps, page)) return redirectTo(page, linkTo(page, "/account"));
        const html = renderLanding(shellOf(page), {
          signInUrl: linkTo(page, "/signin"),
          signUpUrl: page.tenant.settings.self_registration_enabled ? linkTo(page, "/signup") : undefined,
          docsUrl: "/docs",
          mailboxUrl: deps.config.mail.driver === "mailbox" ? "/dev/mailbox" : undefined,
        });
        return respondWithPage(deps, page, html);
      },
      { response: pageResponses, detail: pageDetail("Landing page") },
    )
    .get(
      "/account",
      ({ page }) =>
        showAccount(deps, page, { verificationSent: page.query.get("notice") === "verification_sent" }),
      { response: pageResponses, detail: pageDetail("Account page") },
    )
    .post(
      "/account/send-verification",
      async ({ page, body }) => {
        readPageForm(deps, page, body);
        const session = await currentSession(deps, page);
        if (!session) return redirectTo(page, linkTo(page, "/signin"));
        if (session.user.email) await requestEmailVerification(deps, page.tenant, session.user.email);
        return redirectTo(page, `${page.base}/account?notice=verification_sent`);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Send the verification mail again") },
    )
    .post(
      "/signout",
      async ({ page, body }) => {
        readPageForm(deps, page, body);
        const session = await currentSession(deps, page);
        if (session) {
          await endSession(
            deps,
            { tenantId: page.tenant.id, id: session.id, userId: session.user.id },
            { actor: { type: "user", id: session.user.id }, context: page.context, includingOffline: false },
          );
        }
        const cookie = expireCookie(sessionCookieOf(page.tenant));
        return redirectTo(page, `${page.base}/signin?notice=signed_out`, [cookie]);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign out with the page's form") },
    );

async function showAccount(
  deps: Deps,
  page: PageRequest,
  { verificationSent }: { verificationSent: boolean },
): Promise<Response> {
  const session = await currentSession(deps, page);
  if (!session) return redirectTo(page, linkTo(page, "/signin"));
  const { user } = session;
  const html = renderAccount(shellOf(page), {
    user: {
      email: user.email ?? "",
      emailVerified: user.emailVerified,
      username: user.username,
      name: [user.givenName, user.familyName].filter(Boolean).join(" ") || undefined,
    },
    signOut: formTo(deps, page, "/signout"),
    sendVerification: formTo(deps, page, "/account/send-verification"),
    verificationSent,
  });
  return respondWithPage(deps, page, html);
}
