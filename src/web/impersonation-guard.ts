/** What an administrator may do on the hosted pages while signed in as somebody else: look, and end it. */
import type { Session } from "../domain/sessions/service.ts";
import { forbidden } from "../lib/errors.ts";
import type { ImpersonationView } from "./shell.ts";

/** The only forms there are: to end it. Whatever is added to the pages is refused until it is put here. */
const FORMS: readonly string[] = ["/impersonation/end", "/signout", "/oauth/logout", "/oauth/logout/confirm"];

/**
 * The pages to look at, and the way into applications that the user has let in. Not SAML's, whose assertions cannot say
 * who really acts, and none that leads to what only the user does.
 */
const PAGES: readonly string[] = [
  "/",
  "/signin",
  "/account",
  "/account/security",
  "/oauth/authorize",
  "/oauth/select-account",
  "/oauth/logout",
  "/impersonation",
  "/dev/mailbox",
];

/** @throws AppError 403 */
export function refuseImpersonated(session: Session | undefined, request: Request): void {
  if (!session?.impersonation) return;
  const { pathname } = new URL(request.url);
  const looks = request.method === "GET" || request.method === "HEAD";
  if ((looks ? PAGES : FORMS).includes(pathname)) return;
  throw forbidden("Only the user themselves may do this. You are signed in on behalf of somebody else.");
}

const views = new WeakMap<Request, ImpersonationView>();

/** For the error page, which knows of a request nothing but itself. */
export function noteImpersonation(request: Request, view: ImpersonationView): void {
  views.set(request, view);
}

export const impersonationOf = (request: Request): ImpersonationView | undefined => views.get(request);
