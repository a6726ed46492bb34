/** What the routes of the security page share: who acts, and whether they proved it lately. */
import type { Deps } from "../../deps.ts";
import { needToChangeFactors } from "../../domain/mfa/factors.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { satisfiesNeed } from "../../protocol/oidc/acr.ts";
import {
  type FormFields,
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  readPageForm,
  redirectTo,
} from "../http.ts";
import type { SecurityNotice, SecurityProblem } from "../pages/security.tsx";
import type { FormTarget } from "../shell.ts";
import { stepUpUrl } from "../sign-in/step-up.routes.ts";

export const SECURITY_PATH = "/account/security";

/** Somebody signed in, on a page of theirs. */
export interface SecurityVisit {
  readonly session: Session;
  /** Set where an application asked for a second factor that is set up now. */
  readonly authorization: PageAuthorization | undefined;
  /** A form of this session. */
  form(path: string): FormTarget;
}

type Act<Input extends unknown[] = []> = (
  visit: SecurityVisit,
  ...input: Input
) => Promise<Response> | Response;

/**
 * Shows a page to whoever is signed in.
 * @param freshFor the page's own path, where it needs a proof of lately: who cannot give it is sent to prove it, and
 *   comes back
 */
export async function openPage(
  deps: Deps,
  page: PageRequest,
  act: Act,
  freshFor?: string,
): Promise<Response> {
  const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
  const session = page.session;
  if (!session) return redirectTo(page, linkTo(page, "/signin", authorization));
  const stale = freshFor !== undefined && !(await isFresh(deps, page, session));
  if (stale) return redirectTo(page, stepUpUrl(page, freshFor, authorization));
  return act(visitOf(deps, page, session, authorization));
}

/**
 * Takes a form of the session that it was shown in.
 * @param freshFor where to come back to from the proof that it needs; undefined when it needs none
 */
export async function takeForm(
  deps: Deps,
  page: PageRequest,
  body: unknown,
  act: Act<[FormFields]>,
  freshFor?: string,
): Promise<Response> {
  const session = page.session;
  const field = readPageForm(deps, page, body, session);
  const authorization = await pageAuthorization(deps, page, field("interaction"));
  if (!session) return redirectTo(page, linkTo(page, "/signin", authorization));
  const stale = freshFor !== undefined && !(await isFresh(deps, page, session));
  if (stale) return redirectTo(page, stepUpUrl(page, freshFor, authorization));
  return act(visitOf(deps, page, session, authorization), field);
}

/** Whether a session is good for what could shut its user out. */
export async function isFresh(deps: Deps, page: PageRequest, session: Session): Promise<boolean> {
  const need = await needToChangeFactors(deps, page.tenant, session.user);
  return satisfiesNeed(session, need, deps.clock.now());
}

function visitOf(
  deps: Deps,
  page: PageRequest,
  session: Session,
  authorization: PageAuthorization | undefined,
): SecurityVisit {
  return {
    session,
    authorization,
    form: (path) => formTo(deps, page, path, authorization, session),
  };
}

/** Back to the overview, which says what was done, or what was not. */
export function backToSecurity(
  page: PageRequest,
  told: { notice: SecurityNotice } | { problem: SecurityProblem },
): Response {
  return redirectTo(page, `${page.base}${SECURITY_PATH}?${new URLSearchParams(told)}`);
}

/** Where a new factor leads: on with the application that asked for one, or back to the overview. */
export function afterNewFactor(page: PageRequest, { authorization }: SecurityVisit): string {
  if (authorization) return linkTo(page, authorization.resumePath, authorization);
  const notice: SecurityNotice = "factor_added";
  return `${page.base}${SECURITY_PATH}?${new URLSearchParams({ notice })}`;
}
