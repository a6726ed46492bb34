/** A sign-in at a SAML identity provider: out with an AuthnRequest, and back with a Response. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { newMessageId } from "../../lib/message-id.ts";
import { singleUse } from "../../protocol/oauth/single-use.ts";
import { authnRequest } from "../../protocol/saml/build/authn-request.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { readPost } from "../../protocol/saml/post.ts";
import {
  checkInResponseTo,
  readResponse,
  type SamlAnswer,
  verifyResponse,
} from "../../protocol/saml/response.ts";
import { AttributeMappingError, mapAttributes } from "../connections/attribute-mapping.ts";
import type { SamlConnection } from "../connections/service.ts";
import type { UpstreamIdentity } from "../federation/identity.ts";
import { FederationRefusal } from "../federation/refusals.ts";
import { consumeRoundTrip, openRoundTrip, type RoundTrip } from "../federation/round-trip.ts";
import { useOnce } from "../replay/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { consumeAnswer, keepAnswer, type KeptAnswer } from "./answers.ts";
import { claimsOf } from "./attributes.ts";
import { serviceProviderOf } from "./entity.ts";
import { clocksOf, responsePolicyOf } from "./identity-provider.ts";
import { type OutgoingMessage, send } from "./outgoing.ts";
import { requireSchema } from "./schema-validation.ts";

export interface SamlDeparture extends Omit<RoundTrip, "connectionId" | "samlRequestId"> {
  readonly browserSecret: string;
  /** Whether the person is to prove anew who they are. */
  readonly forceAuthn: boolean;
  /** Whether nothing may be shown to them. */
  readonly isPassive: boolean;
}

/** Asks the identity provider who the browser's person is. The RelayState names the trip, and nothing else. */
export async function beginSamlSignIn(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  { forceAuthn, isPassive, ...trip }: SamlDeparture,
): Promise<OutgoingMessage> {
  const { config } = connection;
  const { entityId, acsUrl } = serviceProviderOf(deps, tenant, connection);
  const id = newMessageId();
  const { token } = await openRoundTrip(deps, tenant, connection, { ...trip, samlRequestId: id });
  const head = { id, issueInstant: deps.clock.now(), issuer: entityId, destination: config.sso_url };
  return send(deps, tenant, {
    endpoint: config.sso_url,
    binding: config.sso_binding,
    parameter: "SAMLRequest",
    xml: authnRequest(head, { acsUrl, nameIdFormat: config.name_id_format, forceAuthn, isPassive }),
    relayState: token,
    signed: config.sign_authn_requests,
  });
}

/**
 * A response that a browser posts. It comes from another site, and so without our cookies: all that can be judged without
 * them is judged here, the assertion is used up, and what it says is kept for the browser to come back to with its cookies.
 * @returns a handle that works once, for two minutes
 * @throws SamlError; FederationRefusal when the attributes make nobody
 */
export async function receiveSamlResponse(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  form: URLSearchParams,
): Promise<string> {
  const message = readPost(form);
  if (message.parameter !== "SAMLResponse") throw new SamlError("unexpected_message", "not a response");
  const { answer, documents } = await judge(deps, tenant, connection, message.text);
  await useUp(deps, connection, answer);
  // After that: it is by far the most work, and a message that comes again is not worth it.
  for (const document of documents) await requireSchema(deps, document);
  return keepAnswer(deps.db, connection, {
    identity: identityOf(connection, answer),
    inResponseTo: answer.inResponseTo,
    relayState: message.relayState,
    nameId: answer.nameId,
    sessionIndex: answer.sessionIndex,
    authnInstant: answer.authnInstant,
    now: deps.clock.now(),
  });
}

async function judge(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  text: string,
): Promise<{ answer: SamlAnswer; documents: readonly string[] }> {
  const verified = verifyResponse(text, await responsePolicyOf(deps, tenant, connection));
  const { entityId, acsUrl } = serviceProviderOf(deps, tenant, connection);
  const answer = readResponse(verified, {
    ...clocksOf(deps, connection),
    issuer: connection.config.idp_entity_id,
    audience: entityId,
    acsUrl,
  });
  return { answer, documents: verified.documents };
}

/** For as long as it could be presented (SAML Profiles §4.1.4.5). @throws SamlError for an assertion that was used before */
async function useUp(deps: Deps, connection: SamlConnection, { id, expiresAt }: SamlAnswer): Promise<void> {
  const until = addSeconds(expiresAt, clocksOf(deps, connection).skewSeconds);
  const use = singleUse("saml_assertion", {
    owner: connection.id,
    id,
    acceptedUntil: until.getTime() / 1000,
  });
  if (!(await useOnce(deps.db, connection.tenantId, use)))
    throw new SamlError("replayed", "an assertion a second time");
}

function identityOf(connection: SamlConnection, answer: SamlAnswer): UpstreamIdentity {
  try {
    return mapAttributes(connection, claimsOf(connection, answer));
  } catch (error) {
    if (!(error instanceof AttributeMappingError)) throw error;
    throw new FederationRefusal("upstream_failed", { cause: error });
  }
}

/**
 * The browser that brought a response, with its cookies: is it the one that was sent?
 * @returns what was said of its person, and the trip that it answers; undefined where the identity provider began it
 * @throws FederationRefusal, SamlError
 */
export async function completeSamlResponse(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  { handle, browserSecret }: { handle: string; browserSecret: string },
): Promise<{ answer: KeptAnswer; trip: RoundTrip | undefined }> {
  const answer = await consumeAnswer(deps, tenant, connection, handle);
  if (!answer) throw new FederationRefusal("trip_lost");
  const { relayState, inResponseTo } = answer;
  // An identity provider that begins by itself says there what it likes: then it names no trip, and leads nowhere.
  const trip =
    relayState === undefined
      ? undefined
      : await consumeRoundTrip(deps, tenant, connection, relayState, browserSecret);
  const { allow_idp_initiated: allowIdpInitiated } = connection.config;
  try {
    checkInResponseTo(inResponseTo, { requestId: trip?.samlRequestId, allowIdpInitiated });
  } catch (error) {
    if (trip || inResponseTo === undefined) throw error;
    throw new FederationRefusal("trip_lost", { cause: error });
  }
  return { answer, trip };
}

/** As long as a trip may take: a proof that was asked for by it is no older. */
const TRIP_SECONDS = 15 * 60;

/**
 * ForceAuthn asks for a fresh proof, and not every identity provider listens: an application that wants one (OpenID Connect
 * Core §3.1.2.1, `prompt=login` and `max_age`) gets it, or nobody.
 * @throws FederationRefusal for a proof that is older
 */
export function requireFreshProof(
  deps: Deps,
  connection: SamlConnection,
  { authnInstant }: Pick<KeptAnswer, "authnInstant">,
  wanted: { readonly anew: boolean; readonly maxAge: number | undefined },
): void {
  const oldestSeconds = Math.min(wanted.anew ? TRIP_SECONDS : Infinity, wanted.maxAge ?? Infinity);
  const { now, skewSeconds } = clocksOf(deps, connection);
  if (addSeconds(authnInstant, skewSeconds).getTime() + oldestSeconds * 1000 < now.getTime())
    throw new FederationRefusal("upstream_failed", {
      cause: new SamlError("authn_statement", "an older proof than was asked for"),
    });
}
