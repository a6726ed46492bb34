/** What the routes of all hosted pages share: the shell, cookies, forms and responses. */
import { randomBytes } from "node:crypto";
import { Elysia } from "elysia";
import type { Deps } from "../deps.ts";
import { openInteraction } from "../domain/authorization/interaction.ts";
import { type PendingAuthorization, readAuthorization } from "../domain/authorization/flow.ts";
import type { Interaction } from "../domain/authorization/interaction.ts";
import type { Client } from "../domain/clients/service.ts";
import type { RequestContext } from "../domain/request-context.ts";
import { findSessionByCookie, type Session } from "../domain/sessions/service.ts";
import { issuerOf, type Tenant } from "../domain/tenants/service.ts";
import { requestInfo } from "../http/request-info.ts";
import { resolveTenant } from "../http/tenant.ts";
import { textBody } from "../http/text-body.ts";
import { AppError, forbidden } from "../lib/errors.ts";
import { negotiateLocale } from "../lib/locale.ts";
import { isVouchedFor } from "../protocol/oauth/client-identity.ts";
import { script } from "./assets.ts";
import {
  browserCookieName,
  deviceCookieName,
  parseCookies,
  pendingCookieName,
  serializeCookie,
  sessionCookieName,
  trustedDeviceCookieName,
} from "./cookies.ts";
import { csrfToken, isSameOriginPost, verifyCsrf } from "./csrf.ts";
import { pageHeaders, type PageHeaderOptions } from "./security-headers.ts";
import type { ClientView, FormTarget, PageShell } from "./shell.ts";

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
}

/** Gives page routes their `page`; like the API's scope, but for browsers. */
export const pageScope = (deps: Deps) =>
  new Elysia({ name: "page-scope" }).derive({ as: "scoped" }, async ({ request }) => {
    const info = requestInfo(request);
    const tenant = await resolveTenant(deps, request, info);
    const cookies = parseCookies(request.headers.get("cookie"));
    const known = cookies.get(browserCookieName);
    const page: PageRequest = {
      request,
      tenant,
      context: info,
      base: info.tenantSlug === undefined ? "" : `/t/${info.tenantSlug}`,
      query: new URL(request.url).searchParams,
      cookies,
      browser: known
        ? { secret: known, isNew: false }
        : { secret: randomBytes(24).toString("base64url"), isNew: true },
    };
    return { page };
  });

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

export function currentSession(deps: Deps, page: PageRequest): Promise<Session | undefined> {
  return findSessionByCookie(deps, page.tenant.id, page.cookies.get(sessionCookieOf(page.tenant)));
}

/** The authorization request that the page belongs to, if it belongs to one that can still be answered. */
export interface PageAuthorization extends PendingAuthorization {
  readonly sealed: string;
  readonly interaction: Interaction;
}

/** @throws AppError when the request it belongs to is too old, or not valid (any more) */
export async function pageAuthorization(
  deps: Deps,
  page: PageRequest,
  sealed: string | undefined,
): Promise<PageAuthorization | undefined> {
  if (!sealed) return undefined;
  const interaction = openInteraction(deps, page.tenant, sealed);
  if (!interaction) throw interactionExpired();
  return { sealed, interaction, ...(await readAuthorization(deps, page.tenant, interaction)) };
}

export const interactionExpired = () =>
  new AppError(
    400,
    "invalid_request",
    "This sign-in took too long. Please go back to the application and start again.",
  );

export function shellOf(page: PageRequest, authorization?: PageAuthorization): PageShell {
  const { tenant, request } = page;
  return {
    locale: negotiateLocale({
      uiLocales: page.query.get("ui_locales") ?? authorization?.request.uiLocales.join(" "),
      acceptLanguage: request.headers.get("accept-language"),
    }),
    // Assets are served once, at the root, whatever tenant the page belongs to.
    basePath: "",
    tenant: { name: tenant.name, logoUrl: tenant.settings.logo_url || undefined },
    client: authorization && clientView(authorization),
  };
}

/**
 * What the pages show of an application. The logo only where an administrator vouches for it: one that somebody chose for
 * themselves would make people trust it, and would tell its address who opens the page.
 */
export function clientView({ client }: { client: Client }): ClientView {
  return {
    name: client.name,
    logoUrl: isVouchedFor(client) ? (client.logoUri ?? undefined) : undefined,
    homepageUrl: client.clientUri ?? undefined,
    policyUrl: client.policyUri ?? undefined,
    termsUrl: client.tosUri ?? undefined,
  };
}

/** A path of ours with the authorization request it belongs to. */
export function linkTo(page: PageRequest, path: string, authorization?: PageAuthorization): string {
  const query = authorization ? `?${new URLSearchParams({ interaction: authorization.sealed })}` : "";
  return `${page.base}${path}${query}`;
}

/** Where a complete sign-in leads: on with the authorization request, to the device that waits for it, or home. */
export function afterSignIn(page: PageRequest, authorization: PageAuthorization | undefined): string {
  if (authorization) return linkTo(page, "/oauth/authorize", authorization);
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
  const images = [page.tenant.settings.logo_url, authorization && clientView(authorization).logoUrl].filter(
    (url) => typeof url === "string",
  );
  const response = new Response(html, {
    status: options.status ?? 200,
    headers: pageHeaders({
      https: issuerOf(page.tenant, deps.config.publicUrl).startsWith("https:"),
      imgSources: images,
      ...(options.withScript ? { scriptUrl: originOf(deps, page) + script.path } : {}),
      ...(authorization ? { formActionTargets: [authorization.request.redirectUri] } : {}),
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

function withBrowserCookie(page: PageRequest, response: Response): Response {
  if (page.browser.isNew) {
    const cookie = serializeCookie(browserCookieName, page.browser.secret, {
      maxAgeSeconds: BROWSER_COOKIE_SECONDS,
    });
    response.headers.append("set-cookie", cookie);
  }
  return response;
}

/** Browsers keep no larger cookies; a request that does not fit is not remembered, and its tab is still open. */
const MOST_REMEMBERED = 3500;
const REMEMBERED_SECONDS = 2 * 60 * 60;

/** Lets the browser keep an authorization request while the person looks for a mail. */
export function rememberAuthorization(
  response: Response,
  authorization: PageAuthorization | undefined,
): Response {
  if (authorization && authorization.sealed.length <= MOST_REMEMBERED) {
    const cookie = serializeCookie(pendingCookieName, authorization.sealed, {
      maxAgeSeconds: REMEMBERED_SECONDS,
    });
    response.headers.append("set-cookie", cookie);
  }
  return response;
}

/** The authorization request that this browser was told to keep, if it can still be answered. */
export async function rememberedAuthorization(
  deps: Deps,
  page: PageRequest,
): Promise<PageAuthorization | undefined> {
  try {
    return await pageAuthorization(deps, page, page.cookies.get(pendingCookieName));
  } catch (error) {
    // It is too old, or its client is gone by now: then there is nothing to lead back to.
    if (error instanceof AppError) return undefined;
    throw error;
  }
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
