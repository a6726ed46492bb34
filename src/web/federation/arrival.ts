/** A browser that comes back from an OpenID provider or an OAuth server. */
import type { Deps } from "../../deps.ts";
import { failAuthorization } from "../../domain/authorization/upstream-errors.ts";
import { openInteraction } from "../../domain/authorization/interaction.ts";
import { challengeLifetimeSeconds } from "../../domain/challenges/service.ts";
import { type Connection, findConnection } from "../../domain/connections/service.ts";
import { FederationRefusal } from "../../domain/federation/refusals.ts";
import { consumeRoundTrip, type RoundTrip, type TripSecrets } from "../../domain/federation/round-trip.ts";
import { linkExternally, noteRefusal, signInExternally } from "../../domain/federation/sign-in.ts";
import { UpstreamDenial } from "../../domain/federation/upstream/errors.ts";
import { redirectUriOf, upstreamIdentity } from "../../domain/federation/upstream/service.ts";
import { isSamlInteraction } from "../../domain/saml-idp/interaction.ts";
import { backToSecurity } from "../account/security-scope.ts";
import { deviceTokenOf, type PageRequest } from "../http.ts";
import { respondToOutcome } from "../oauth/authorization-pages.ts";
import { type PageAuthorization, pageAuthorization } from "../page-authorization.ts";
import { answerExternalSignIn, answerFederationProblem } from "./after.ts";

type Trip = RoundTrip & TripSecrets;

/**
 * Takes an answer of a connection: the trip that it ends has to be this browser's, and ends by it, whatever it says.
 * @param parameters of the answer, from the address or the form
 */
export async function arrive(
  deps: Deps,
  page: PageRequest,
  key: string,
  parameters: URLSearchParams,
): Promise<Response> {
  const connection = await findConnection(deps, page.tenant.id, key);
  try {
    const trip = connection && (await endTrip(deps, page, connection, parameters));
    if (!trip) throw new FederationRefusal(connection ? "trip_lost" : "unavailable");
    const authorization = await pageAuthorization(deps, page, trip.interaction);
    return await finish(deps, page, connection, { trip, parameters, authorization });
  } catch (error) {
    return answerFederationProblem(deps, page, error, { connection });
  }
}

/** @returns undefined also for an answer whose parameters could be read in two ways (RFC 6749 §3.1) */
async function endTrip(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  parameters: URLSearchParams,
): Promise<Trip | undefined> {
  const repeated = [...parameters.keys()].some((name, index, all) => all.indexOf(name) !== index);
  const state = parameters.get("state");
  if (repeated || state === null) return undefined;
  return consumeRoundTrip(deps, page.tenant, connection, state, page.browser.secret);
}

interface Return {
  readonly trip: Trip;
  readonly parameters: URLSearchParams;
  readonly authorization: PageAuthorization | undefined;
}

async function finish(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  back: Return,
): Promise<Response> {
  const { trip, authorization } = back;
  try {
    return trip.purpose === "link"
      ? await connectAccount(deps, page, connection, back)
      : await signIn(deps, page, connection, back);
  } catch (error) {
    if (error instanceof UpstreamDenial) {
      const answered = await tellClient(deps, page, connection, back, error.error);
      if (answered) return answered;
    }
    const linking = trip.purpose === "link";
    return answerFederationProblem(deps, page, error, { connection, authorization, linking });
  }
}

async function signIn(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  back: Return,
): Promise<Response> {
  const { tenant, context } = page;
  const result = await identityOf(deps, page, connection, back);
  const step = await signInExternally(deps, tenant, {
    connection,
    ...result,
    rememberMe: back.trip.rememberMe,
    before: page.session,
    deviceToken: deviceTokenOf(page),
    context,
  });
  return answerExternalSignIn(deps, page, step, back.authorization);
}

/** Only for who asked for it, in the session in which they did. */
async function connectAccount(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  back: Return,
): Promise<Response> {
  const { tenant, context } = page;
  const session = page.session;
  const { userId, sessionId } = back.trip;
  if (!session || session.id !== sessionId || session.user.id !== userId)
    throw new FederationRefusal("link_lost");
  const { identity, tokens } = await identityOf(deps, page, connection, back);
  await linkExternally(deps, tenant, session, connection, identity, context, tokens);
  return backToSecurity(page, { notice: "account_connected" });
}

async function identityOf(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  { trip, parameters, authorization }: Return,
) {
  const { tenant, context } = page;
  try {
    // It may have been switched off while the person was there.
    if (!connection.enabled || !connection.allowSignIn) throw new FederationRefusal("unavailable");
    return await upstreamIdentity(deps, connection, {
      parameters,
      redirectUri: redirectUriOf(deps, tenant, connection),
      state: parameters.get("state") ?? "",
      nonce: trip.nonce,
      codeVerifier: trip.codeVerifier,
      maxAge: oldestProof(authorization),
    });
  } catch (error) {
    if (error instanceof FederationRefusal)
      await noteRefusal(deps, tenant, connection, error.problem, context);
    throw error;
  }
}

/**
 * How long ago the person may have proved who they are, in seconds. Who was to sign in anew (`prompt=login`) did so on this trip,
 * so within the time that a trip may take.
 */
function oldestProof(authorization: PageAuthorization | undefined): number | undefined {
  if (!authorization?.prompt.includes("login")) return authorization?.maxAge;
  return Math.min(authorization.maxAge ?? Number.POSITIVE_INFINITY, challengeLifetimeSeconds.federation);
}

/** An application that chose the connection itself gets its error; people who chose it here may choose another one. */
async function tellClient(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  { trip, authorization }: Return,
  error: string,
): Promise<Response | undefined> {
  const chosen = authorization?.connection === connection.key || authorization?.connection === connection.id;
  return chosen && trip.interaction ? failToClient(deps, page, trip.interaction, error) : undefined;
}

/** Answers the application that waits; undefined where that is not an OAuth client. */
export async function failToClient(
  deps: Deps,
  page: PageRequest,
  sealed: string,
  error: string,
): Promise<Response | undefined> {
  const interaction = isSamlInteraction(sealed) ? undefined : openInteraction(deps, page.tenant, sealed);
  if (!interaction) return undefined;
  const answered = await failAuthorization(deps, { tenant: page.tenant, interaction }, error);
  return respondToOutcome(deps, page, answered);
}
