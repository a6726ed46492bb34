import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { requestEmailVerification } from "../../domain/accounts/email-verification.ts";
import { type GrantRow, listGrants } from "../../domain/grants/service.ts";
import { listSessions, type LiveSessionRow } from "../../domain/sessions/listing.ts";
import { signOutBrowser } from "../../domain/sessions/rp-initiated-logout.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { deviceOf } from "../../lib/device.ts";
import type { GrantView, SessionView } from "../components/account-lists.tsx";
import { expireCookie } from "../cookies.ts";
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
import { type AccountNotice, renderAccount } from "../pages/account.tsx";
import { renderLanding } from "../pages/landing.tsx";
import { byWayOfOthers } from "../saml/sign-out.ts";

export const accountRoutes = (deps: Deps) =>
  new Elysia({ name: "web-account" })
    .use(pageScope(deps))
    .get(
      "/",
      async ({ page }) => {
        if (page.session) return redirectTo(page, linkTo(page, "/account"));
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
    .get("/account", ({ page }) => showAccount(deps, page), {
      response: pageResponses,
      detail: pageDetail("Account page"),
    })
    .post(
      "/account/send-verification",
      async ({ page, body }) => {
        readPageForm(deps, page, body);
        const session = page.session;
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
        const session = page.session;
        if (session) await signOutBrowser(deps, page.tenant, session, page.context);
        const cookie = expireCookie(sessionCookieOf(page.tenant));
        const next = `${page.base}/signin?notice=signed_out`;
        return (await byWayOfOthers(deps, page, next, [cookie])) ?? redirectTo(page, next, [cookie]);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign out with the page's form") },
    );

/** What the page may be told by the form before it, as `?notice=`. */
const NOTICES: readonly AccountNotice[] = [
  "verification_sent",
  "session_ended",
  "sessions_ended",
  "grant_revoked",
];

async function showAccount(deps: Deps, page: PageRequest): Promise<Response> {
  const session = page.session;
  if (!session) return redirectTo(page, linkTo(page, "/signin"));
  const { user } = session;
  const [sessions, grants] = await Promise.all([
    listSessions(deps, page.tenant, user),
    listGrants(deps, user),
  ]);
  const form = (path: string) => formTo(deps, page, path, undefined, session);
  const html = renderAccount(shellOf(page), {
    user: {
      email: user.email ?? "",
      emailVerified: user.emailVerified,
      username: user.username,
      name: [user.givenName, user.familyName].filter(Boolean).join(" ") || undefined,
    },
    signOut: formTo(deps, page, "/signout"),
    securityUrl: linkTo(page, "/account/security"),
    sendVerification: formTo(deps, page, "/account/send-verification"),
    notice: NOTICES.find((known) => known === page.query.get("notice")),
    sessions: sessions.map((row) => sessionView(row, session)),
    endSession: form("/account/sessions/end"),
    endOtherSessions: form("/account/sessions/end-others"),
    grants: grants.map(grantView),
    revokeGrant: form("/account/grants/revoke"),
  });
  const logos = grants.flatMap(({ logoUri }) => logoUri ?? []);
  return respondWithPage(deps, page, html, {
    headers: { imgSources: [page.tenant.settings.logo_url, ...logos].filter((url) => url !== "") },
  });
}

function sessionView(row: LiveSessionRow, current: Session): SessionView {
  return {
    id: row.id,
    current: row.id === current.id,
    impersonated: row.impersonated,
    device: deviceOf(row.userAgent),
    ipAddress: row.ip ?? undefined,
    applications: row.applications,
    signedInAt: row.createdAt,
    lastUsedAt: row.lastSeenAt,
  };
}

function grantView(row: GrantRow): GrantView {
  return {
    id: row.id,
    client: { name: row.clientName, logoUrl: row.logoUri ?? undefined },
    scopes: row.scopes,
    grantedAt: row.createdAt,
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
