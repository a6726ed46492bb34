/** A browser that comes back from a SAML identity provider: first with its form, then with its cookies. */
import type { Deps } from "../../deps.ts";
import type { SamlConnection } from "../../domain/connections/service.ts";
import { FederationRefusal } from "../../domain/federation/refusals.ts";
import type { RoundTrip } from "../../domain/federation/round-trip.ts";
import { linkExternally, signInExternally } from "../../domain/federation/sign-in.ts";
import type { KeptAnswer } from "../../domain/saml-sp/answers.ts";
import { requireSamlConnection } from "../../domain/saml-sp/identity-provider.ts";
import {
  completeSamlResponse,
  receiveSamlResponse,
  requireFreshProof,
} from "../../domain/saml-sp/sign-in.ts";
import { noteUpstreamSession } from "../../domain/saml-sp/upstream-sessions.ts";
import { textBody } from "../../http/text-body.ts";
import { parseSecretToken } from "../../lib/secret-token.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { answerExternalSignIn, answerFederationProblem } from "../federation/after.ts";
import { backToSecurity } from "../account/security-scope.ts";
import { deviceTokenOf, type PageRequest, redirectTo } from "../http.ts";
import { type PageAuthorization, pageAuthorization } from "../page-authorization.ts";
import { wantedProof } from "./sp-departure.ts";

/**
 * The form. It is another site's, so that no cookie of ours comes with it (SameSite=Lax): the message is judged and used up,
 * and the browser sent on to an address of ours.
 */
export async function takeResponse(
  deps: Deps,
  page: PageRequest,
  id: string,
  body: unknown,
): Promise<Response> {
  return refusing(deps, page, id, async (connection) => {
    const form = new URLSearchParams(textBody(body));
    const handle = await receiveSamlResponse(deps, page.tenant, connection, form);
    return redirectTo(page, `${page.base}/saml/${connection.id}/acs?${new URLSearchParams({ handle })}`);
  });
}

/** The browser itself. */
export async function continueResponse(deps: Deps, page: PageRequest, id: string): Promise<Response> {
  return refusing(deps, page, id, async (connection) => {
    const handle = page.query.get("handle") ?? "";
    const browserSecret = page.browser.secret;
    const { tenant } = page;
    const returned = await completeSamlResponse(deps, tenant, connection, { handle, browserSecret });
    const authorization = await pageAuthorization(deps, page, returned.trip?.interaction);
    try {
      return returned.trip?.purpose === "link"
        ? await connectAccount(deps, page, connection, returned.answer, returned.trip)
        : await signIn(deps, page, connection, { ...returned, authorization });
    } catch (error) {
      const linking = returned.trip?.purpose === "link";
      return answerFederationProblem(deps, page, error, { connection, authorization, linking });
    }
  });
}

async function signIn(
  deps: Deps,
  page: PageRequest,
  connection: SamlConnection,
  returned: {
    answer: KeptAnswer;
    trip: RoundTrip | undefined;
    authorization: PageAuthorization | undefined;
  },
): Promise<Response> {
  const { answer, trip, authorization } = returned;
  requireFreshProof(deps, connection, answer, wantedProof(authorization));
  const step = await signInExternally(deps, page.tenant, {
    connection,
    identity: answer.identity,
    rememberMe: trip?.rememberMe ?? false,
    before: page.session,
    deviceToken: deviceTokenOf(page),
    context: page.context,
  });
  const sessionId = step.kind === "signed_in" ? parseSecretToken("session", step.cookie)?.id : undefined;
  await noteUpstreamSession(deps, connection, answer, sessionId);
  return answerExternalSignIn(deps, page, step, authorization);
}

/** Only for who asked for it, in the session in which they did. */
async function connectAccount(
  deps: Deps,
  page: PageRequest,
  connection: SamlConnection,
  { identity }: KeptAnswer,
  { userId, sessionId }: RoundTrip,
): Promise<Response> {
  const { session, tenant, context } = page;
  if (!session || session.id !== sessionId || session.user.id !== userId)
    throw new FederationRefusal("link_lost");
  await linkExternally(deps, tenant, session, connection, identity, context);
  return backToSecurity(page, { notice: "account_connected" });
}

/** Why a message was refused is for the log alone; the page says that it was. */
async function refusing(
  deps: Deps,
  page: PageRequest,
  id: string,
  act: (connection: SamlConnection) => Promise<Response>,
): Promise<Response> {
  let connection: SamlConnection | undefined;
  try {
    connection = await requireSamlConnection(deps, page.tenant, id);
    return await act(connection);
  } catch (error) {
    if (!(error instanceof SamlError)) return answerFederationProblem(deps, page, error, { connection });
    logRefusal(deps, page, connection, error);
    throw error;
  }
}

export function logRefusal(
  deps: Deps,
  page: PageRequest,
  connection: SamlConnection | undefined,
  { reason, cause: err }: SamlError,
): void {
  const { requestId } = page.context;
  deps.log.info({ requestId, connectionId: connection?.id, reason, err }, "a SAML message was refused");
}
