/** What the routes of all hosted pages share: the shell, cookies, forms and responses. */
import { randomBytes } from "node:crypto";
import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import type { RequestContext } from "../domain/request-context.ts";
import { findSessionByCookie, type Session } from "../domain/sessions/service.ts";
import { issuerOf, type Tenant } from "../domain/tenants/service.ts";
import { requestInfo } from "../http/request-info.ts";
import { resolveTenant } from "../http/tenant.ts";
import { textBody } from "../http/text-body.ts";
import { forbidden } from "../lib/errors.ts";
import { negotiateLocale } from "../lib/locale.ts";
import { script } from "./assets.ts";
import {
  browserCookieName,
  deviceCookieName,
  parseCookies,
  serializeCookie,
  sessionCookieName,
  trustedDeviceCookieName,
} from "./cookies.ts";
import { csrfToken, isSameOriginPost, verifyCsrf } from "./csrf.ts";
import type { PageAuthorization } from "./page-authorization.ts";
import { pageHeaders, type PageHeaderOptions } from "./security-headers.ts";
import { impersonationOf, noteImpersonation, refuseImpersonated } from "./impersonation-guard.ts";
import type { FormTarget, ImpersonationView, PageShell, TenantView } from "./shell.ts";

export {
  clientView,
  interactionExpired,
  type OAuthPageAuthorization,
  type PageAuthorization,
  pageAuthorization,
  rememberAuthorization,
  rememberedAuthorization,
} from "./page-authorization.ts";

/** One request for a page. */
export interface PageRequest {
  readonly request: Request;
  readonly tenant: Tenant;
  readonly context: RequestContext;
  /** Put before every path of ours: "" or "/t/{slug}", as the browser wrote it. */
  readonly base: string;
  readonly query: URLSearchParams;
  readonly cookies: ReadonlyMap<string, string>;
  /** The browser's own secret, and whether it has yet to be told. */
  readonly browser: { readonly secret: string; readonly isNew: boolean };
  /** Who is signed in to the browser. */
  readonly session: Session | undefined;
}

/** Gives page routes their `page`; like the API's scope, but for browsers. */
export const pageScope = (deps: Deps) =>
  new Elysia({ name: "page-scope" }).derive({ as: "scoped" }, async ({ request }) => {
    const info = requestInfo(request);
    const tenant = await resolveTenant(deps, request, info);
    const cookies = parseCookies(request.headers.get("cookie"));
    const known = cookies.get(browserCookieName);
    const session = await sessionAnew(deps, { tenant, cookies });
    const page: PageRequest = {
      request,
      tenant,
      session,
      context: contextOf(info, session),
      base: info.tenantSlug === undefined ? "" : `/t/${info.tenantSlug}`,
      query: new URL(request.url).searchParams,
      cookies,
      browser: known
        ? { secret: known, isNew: false }
        : { secret: randomBytes(24).toString("base64url"), isNew: true },
    };
    if (session?.impersonation) noteImpersonation(request, impersonationView(deps, page, session));
    refuseImpersonated(session, request);
    return { page };
  });

/** The session as it is by now, for who has just changed it. */
export function sessionAnew(
  deps: Deps,
  { tenant, cookies }: Pick<PageRequest, "tenant" | "cookies">,
): Promise<Session | undefined> {
  return findSessionByCookie(deps, tenant.id, cookies.get(sessionCookieOf(tenant)));
}

/** Names who really acts, to whatever is recorded. */
function contextOf(info: RequestContext, session: Session | undefined): RequestContext {
  const impersonatorId = session?.impersonation?.impersonator.id;
  return impersonatorId === undefined ? info : { ...info, impersonatorId };
}

function impersonationView(deps: Deps, page: PageRequest, session: Session): ImpersonationView {
  const nameOf = (user: Session["user"] | undefined) => user?.email ?? user?.username ?? "";
  return {
    user: nameOf(session.user),
    by: nameOf(session.impersonation?.impersonator),
    end: formTo(deps, page, "/impersonation/end", undefined, session),
  };
}

/** The session cookie of a tenant; tenants under one host each have their own. */
export function sessionCookieOf(tenant: Tenant): string {
  return sessionCookieName(tenant.isDefault ? undefined : tenant.slug);
}

export function trustedDeviceCookieOf(tenant: Tenant): string {
  return trustedDeviceCookieName(tenant.isDefault ? undefined : tenant.slug);
}

/** What this browser is known by as a trusted device, if it is one. */
export function deviceTokenOf(page: PageRequest): string | undefined {
  return page.cookies.get(trustedDeviceCookieOf(page.tenant));
}

function tenantView({ name, settings }: Tenant): TenantView {
  return {
    name,
    logoUrl: settings.logo_url || undefined,
    signInTitle: settings.login_page_title || undefined,
    signInMessage: settings.login_page_message || undefined,
    theme: {
      name: settings.login_theme,
      primaryColor: settings.primary_color || undefined,
      backgroundColor: settings.background_color || undefined,
    },
  };
}

export function shellOf(page: PageRequest, authorization?: PageAuthorization): PageShell {
  const { tenant, request } = page;
  return {
    locale: negotiateLocale({
      uiLocales: page.query.get("ui_locales") ?? authorization?.uiLocales.join(" "),
      acceptLanguage: request.headers.get("accept-language"),
    }),
    // Assets are served once, at the root, whatever tenant the page belongs to.
    basePath: "",
    tenant: tenantView(tenant),
    client: authorization?.application,
    impersonation: impersonationOf(request),
  };
}

/** A path of ours with the authorization request it belongs to. */
export function linkTo(
  page: PageRequest,
  path: string,
  authorization?: Pick<PageAuthorization, "sealed">,
): string {
  const query = authorization ? `?${new URLSearchParams({ interaction: authorization.sealed })}` : "";
  return `${page.base}${path}${query}`;
}

/** Where a complete sign-in leads: on with the authorization request, to the device that waits for it, or home. */
export function afterSignIn(page: PageRequest, authorization: PageAuthorization | undefined): string {
  if (authorization) return linkTo(page, authorization.resumePath, authorization);
  const userCode = page.cookies.get(deviceCookieName);
  if (userCode === undefined) return linkTo(page, "/account");
  return `${page.base}/device?${new URLSearchParams({ user_code: userCode })}`;
}

/**
 * @param session binds the form to it: what one user was shown cannot be sent as another, who signed in since in
 *   another tab. `readPageForm` is then given the session of the moment.
 */
export function formTo(
  deps: Deps,
  page: PageRequest,
  path: string,
  authorization?: PageAuthorization,
  session?: Session,
): FormTarget {
  return {
    action: page.base + path,
    csrf: csrfToken(deps.secrets.csrf, secretOf(page, session)),
    interaction: authorization?.sealed,
  };
}

function secretOf(page: PageRequest, session: Session | undefined): string {
  return session ? `${page.browser.secret}/${session.id}` : page.browser.secret;
}

/** A page as a response, with its policy and the browser's cookie. */
export function respondWithPage(
  deps: Deps,
  page: PageRequest,
  html: string,
  options: {
    status?: number;
    authorization?: PageAuthorization | undefined;
    /** Whether the page uses our script file. */
    withScript?: boolean;
    headers?: Partial<PageHeaderOptions>;
  } = {},
): Response {
  const { authorization } = options;
  const images = [page.tenant.settings.logo_url, authorization?.application.logoUrl].filter(
    (url) => typeof url === "string",
  );
  const response = new Response(html, {
    status: options.status ?? 200,
    headers: pageHeaders({
      https: issuerOf(page.tenant, deps.config.publicUrl).startsWith("https:"),
      imgSources: images,
      ...(options.withScript ? { scriptUrl: originOf(deps, page) + script.path } : {}),
      ...(authorization ? { formActionTargets: [authorization.answeredAt] } : {}),
      ...options.headers,
    }),
  });
  return withBrowserCookie(page, response);
}

/**
 * To a path of ours, or to a redirect URI that was checked. What follows a form is a GET by 303 alone: other statuses
 * may send the form on, password and all (RFC 9700 §4.12).
 */
export function redirectTo(page: PageRequest, location: string, cookies: readonly string[] = []): Response {
  const status = page.request.method === "POST" ? 303 : 302;
  const response = new Response(null, { status, headers: { location, "cache-control": "no-store" } });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return withBrowserCookie(page, response);
}

/** Kept for a year: it proves nothing but that two requests come from one browser. */
const BROWSER_COOKIE_SECONDS = 365 * 86_400;

/**
 * A form from another site comes without the cookie that the browser has all the same (SameSite=Lax): a new one would take the
 * place of that, and with it every form and every trip that the browser began.
 */
function withBrowserCookie(page: PageRequest, response: Response): Response {
  if (page.browser.isNew && page.request.method !== "POST") {
    const cookie = serializeCookie(browserCookieName, page.browser.secret, {
      maxAgeSeconds: BROWSER_COOKIE_SECONDS,
    });
    response.headers.append("set-cookie", cookie);
  }
  return response;
}

/** The fields of a form of ours, by name; what was sent twice counts once. */
export type FormFields = (name: string) => string;

/**
 * Reads a form that one of our pages sent. Its token belongs to the browser, and where the browser says from which
 * origin the form comes, that has to be ours.
 * @throws AppError 403 for a form from anywhere else
 */
export function readPageForm(deps: Deps, page: PageRequest, body: unknown, session?: Session): FormFields {
  const { headers } = page.request;
  const fields = new URLSearchParams(textBody(body));
  const expectedOrigin = originOf(deps, page);
  const sameOrigin = isSameOriginPost({
    origin: headers.get("origin"),
    secFetchSite: headers.get("sec-fetch-site"),
    expectedOrigin,
  });
  const secret = page.browser.isNew ? undefined : secretOf(page, session);
  if (!sameOrigin || !verifyCsrf(deps.secrets.csrf, secret, fields.get("csrf"))) {
    throw forbidden(
      `This form cannot be accepted. Please open ${expectedOrigin} again and retry from there.`,
    );
  }
  return (name) => fields.get(name) ?? "";
}

/** The origin of the page's own address: what a tenant's path hangs on, or its domain. */
function originOf(deps: Deps, page: PageRequest): string {
  const issuer = page.base ? deps.config.publicUrl : issuerOf(page.tenant, deps.config.publicUrl);
  return new URL(issuer).origin;
}
