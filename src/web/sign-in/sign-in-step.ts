/** The way of a browser from one step of a sign-in to the next. */
import type { Deps } from "../../deps.ts";
import type { BrowserSignIn, SignInStep } from "../../domain/accounts/complete-sign-in.ts";
import { expireCookie, loginCookieName, serializeCookie } from "../cookies.ts";
import {
  afterSignIn,
  linkTo,
  type PageAuthorization,
  type PageRequest,
  redirectTo,
  sessionCookieOf,
  trustedDeviceCookieOf,
} from "../http.ts";

/**
 * Where a browser goes after a first factor: signed in, or on to what is still missing. What it goes on with is in a cookie
 * that no script reads, and not in an address.
 */
export function afterFirstFactor(
  deps: Deps,
  page: PageRequest,
  step: SignInStep<BrowserSignIn>,
  authorization: PageAuthorization | undefined,
  cookies: readonly string[] = [],
): Response {
  if (step.kind === "signed_in") return afterSignedIn(deps, page, step, authorization, cookies);
  const { token, purpose, expiresAt } = step.offer;
  const login = serializeCookie(loginCookieName, token, { maxAgeSeconds: secondsUntil(deps, expiresAt) });
  const path = purpose === "verify" ? "/signin/verify" : "/signin/enroll";
  return redirectTo(page, linkTo(page, path, authorization), [...cookies, login]);
}

/** Where a browser goes that is signed in. */
export function afterSignedIn(
  deps: Deps,
  page: PageRequest,
  signIn: BrowserSignIn,
  authorization: PageAuthorization | undefined,
  cookies: readonly string[] = [],
): Response {
  const all = [...cookies, ...signInCookies(deps, page, signIn)];
  return redirectTo(page, afterSignIn(page, authorization), all);
}

/** The cookies of a complete sign-in. */
export function signInCookies(deps: Deps, page: PageRequest, signIn: BrowserSignIn): string[] {
  const { cookie, expiresAt, remembered, device } = signIn;
  const maxAgeSeconds = secondsUntil(deps, expiresAt);
  return [
    serializeCookie(sessionCookieOf(page.tenant), cookie, remembered ? { maxAgeSeconds } : {}),
    ...(page.cookies.has(loginCookieName) ? [expireCookie(loginCookieName)] : []),
    ...(device
      ? [
          serializeCookie(trustedDeviceCookieOf(page.tenant), device.token, {
            maxAgeSeconds: secondsUntil(deps, device.expiresAt),
          }),
        ]
      : []),
  ];
}

const secondsUntil = (deps: Deps, moment: Date) => (moment.getTime() - deps.clock.now().getTime()) / 1000;
