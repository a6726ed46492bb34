/** Where a browser goes that comes back from a connection. */
import type { Deps } from "../../deps.ts";
import type { BrowserSignIn, SignInStep } from "../../domain/accounts/complete-sign-in.ts";
import type { Connection } from "../../domain/connections/model.ts";
import { FederationRefusal } from "../../domain/federation/refusals.ts";
import { AppError } from "../../lib/errors.ts";
import { SECURITY_PATH } from "../account/security-scope.ts";
import { linkTo, type PageRequest, respondWithPage, shellOf } from "../http.ts";
import type { PageAuthorization } from "../page-authorization.ts";
import { renderFederationProblem } from "../pages/federation.tsx";
import { afterFirstFactor } from "../sign-in/sign-in-step.ts";

/** Signed in, or on to the second factor. */
export function answerExternalSignIn(
  deps: Deps,
  page: PageRequest,
  step: SignInStep<BrowserSignIn>,
  authorization: PageAuthorization | undefined,
): Response {
  return afterFirstFactor(deps, page, step, authorization);
}

/**
 * Says what came in the way, with a way back: to the sign-in page and the application that waits, or to the account.
 * Only what is a refusal is told; any other error is thrown on.
 */
export function answerFederationProblem(
  deps: Deps,
  page: PageRequest,
  error: unknown,
  trip: {
    connection?: Connection | undefined;
    authorization?: PageAuthorization | undefined;
    /** Of somebody signed in, who wanted the connection added to their account. */
    linking?: boolean;
  },
): Response {
  const problem = problemOf(error);
  if (!problem || !(error instanceof AppError)) throw error;
  const { authorization, connection, linking = false } = trip;
  if (error.cause !== undefined)
    deps.log.info({ connectionId: connection?.id, problem, err: error.cause }, "external sign-in refused");
  const html = renderFederationProblem(shellOf(page, authorization), {
    problem,
    connectionName: connection?.name,
    back: linking
      ? { to: "account", url: linkTo(page, SECURITY_PATH) }
      : { to: "sign_in", url: signInByHand(page, authorization) },
    clientUrl:
      connection && authorization && linkTo(page, `/oauth/social/${connection.key}/cancel`, authorization),
  });
  return respondWithPage(deps, page, html, { status: error.status, authorization });
}

/** The sign-in page itself, also where the application would have people go elsewhere. */
function signInByHand(page: PageRequest, authorization: PageAuthorization | undefined): string {
  const url = linkTo(page, "/signin", authorization);
  return authorization ? `${url}&choose=1` : url;
}

function problemOf(error: unknown) {
  if (error instanceof FederationRefusal) return error.problem;
  return error instanceof AppError && error.code === "email_not_verified" ? "email_unconfirmed" : undefined;
}
