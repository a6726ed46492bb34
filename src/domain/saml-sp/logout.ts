/** Single logout with identity providers (SAML Profiles §4.4), in both directions. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Id } from "../../lib/ids.ts";
import { newMessageId } from "../../lib/message-id.ts";
import { singleUse } from "../../protocol/oauth/single-use.ts";
import type { SignaturePolicy } from "../../protocol/saml/algorithms.ts";
import { logoutRequest, logoutResponse } from "../../protocol/saml/build/logout.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import {
  type LogoutRequest,
  type LogoutResponse,
  readPostLogout,
  readRedirectLogout,
} from "../../protocol/saml/logout.ts";
import type { MessageExpectation } from "../../protocol/saml/message.ts";
import { nameIdFormats, statusCodes } from "../../protocol/saml/names.ts";
import { readPost } from "../../protocol/saml/post.ts";
import { readRedirect } from "../../protocol/saml/redirect.ts";
import { consumeOneChallenge, openChallenge } from "../challenges/service.ts";
import { findConnection, type SamlConnection } from "../connections/service.ts";
import { useOnce } from "../replay/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endSession, type Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { serviceProviderOf } from "./entity.ts";
import { clocksOf, signaturePolicyOf } from "./identity-provider.ts";
import { type OutgoingMessage, send } from "./outgoing.ts";
import * as repo from "./repo.ts";
import { requireSchema } from "./schema-validation.ts";
import { nameIdHash } from "./upstream-sessions.ts";

/** A message as a browser brought it. */
export type CarriedLogout =
  | { readonly binding: "redirect"; readonly query: string }
  | { readonly binding: "post"; readonly form: URLSearchParams };

/** What a browser that brought a message of single logout is to do next. */
export type LogoutAnswer =
  | { readonly kind: "send"; readonly message: OutgoingMessage; readonly ended: readonly Id<"session">[] }
  /** `next`: an address that we kept; undefined: there is none. */
  | { readonly kind: "signed_out"; readonly next: string | undefined };

/** @throws SamlError */
export async function receiveLogout(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  carried: CarriedLogout,
  context: RequestContext,
): Promise<LogoutAnswer> {
  const { message, relayState } = await read(deps, tenant, connection, carried);
  if (message.kind === "response") return finish(deps, tenant, connection, message, relayState);
  const ended = await endSessionsOf(deps, tenant, connection, message, context);
  const { slo_url: endpoint, slo_binding: binding = "redirect" } = connection.config;
  if (endpoint === undefined) return { kind: "signed_out", next: undefined };
  const head = {
    id: newMessageId(),
    issueInstant: deps.clock.now(),
    issuer: serviceProviderOf(deps, tenant, connection).entityId,
    destination: endpoint,
    inResponseTo: message.id,
  };
  return {
    kind: "send",
    ended,
    message: await send(deps, tenant, {
      endpoint,
      binding,
      parameter: "SAMLResponse",
      xml: logoutResponse(head, { code: statusCodes.success }),
      // Theirs: it means nothing here, and goes back to nobody else.
      relayState,
      signed: true,
    }),
  };
}

async function read(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  carried: CarriedLogout,
): Promise<{ message: LogoutRequest | LogoutResponse; relayState: string | undefined }> {
  const policy = signaturePolicyOf(deps, connection);
  const expected = {
    ...clocksOf(deps, connection),
    issuer: connection.config.idp_entity_id,
    destination: serviceProviderOf(deps, tenant, connection).sloUrl,
  };
  const { received, message } = readCarried(carried, policy, expected);
  if ((message.kind === "request") !== (received.parameter === "SAMLRequest"))
    throw new SamlError("unexpected_message", "a message by the other one's name");
  await requireSchema(deps, received.text);
  return { message, relayState: received.relayState };
}

function readCarried(carried: CarriedLogout, policy: SignaturePolicy, expected: MessageExpectation) {
  if (carried.binding === "post") {
    const received = readPost(carried.form);
    return { received, message: readPostLogout(received.text, policy, expected) };
  }
  const received = readRedirect(carried.query);
  return { received, message: readRedirectLogout(received, policy, expected) };
}

/** How long a request could be presented again, if it were not remembered. */
const REMEMBERED_SECONDS = 3600;

async function endSessionsOf(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  { id, nameId, sessionIndexes }: LogoutRequest,
  context: RequestContext,
): Promise<Id<"session">[]> {
  const use = singleUse("saml_logout_request", {
    owner: connection.id,
    id,
    acceptedUntil: addSeconds(deps.clock.now(), REMEMBERED_SECONDS).getTime() / 1000,
  });
  if (!(await useOnce(deps.db, tenant.id, use))) throw new SamlError("replayed", "a request a second time");
  const of = { tenantId: tenant.id, connectionId: connection.id, nameIdHash: nameIdHash(nameId) };
  const sessions = await repo.findSessionsOfName(deps.db, of, sessionIndexes);
  for (const session of sessions) {
    await endSession(deps, session, {
      actor: { type: "user", id: session.userId },
      context,
      includingOffline: false,
    });
  }
  return sessions.map((session) => session.id);
}

async function finish(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  { inResponseTo, success }: LogoutResponse,
  relayState: string | undefined,
): Promise<LogoutAnswer> {
  const now = deps.clock.now();
  const sent =
    relayState === undefined
      ? undefined
      : await consumeOneChallenge(deps.db, tenant.id, "saml_upstream_logout", relayState, now);
  if (!sent || sent.data.connection_id !== connection.id || sent.data.request_id !== inResponseTo)
    throw new SamlError("in_response_to", "an answer to a logout that did not begin here");
  // Here the person is signed out already, whatever came of it there.
  if (!success) deps.log.info({ connectionId: connection.id }, "an identity provider ended no session");
  return { kind: "signed_out", next: typeof sent.data.next === "string" ? sent.data.next : undefined };
}

/**
 * Has the identity provider end its session too that one of ours began with, which was just ended.
 * @param next where the browser goes afterwards: kept here, and so nobody else's to choose
 * @returns undefined where there is nothing to end: another kind of sign-in, or an identity provider without single logout
 */
export async function beginUpstreamLogout(
  deps: Deps,
  tenant: Tenant,
  session: Pick<Session, "id">,
  next: string,
): Promise<{ message: OutgoingMessage; connection: SamlConnection } | undefined> {
  const upstream = await repo.findUpstreamSession(deps.db, { tenantId: tenant.id, id: session.id });
  const connection = upstream && (await findConnection(deps, tenant.id, upstream.connectionId));
  if (!upstream || connection?.kind !== "saml" || !connection.enabled) return undefined;
  const { slo_url: endpoint, slo_binding: binding = "redirect" } = connection.config;
  if (endpoint === undefined) return undefined;
  const now = deps.clock.now();
  const requestId = newMessageId();
  const { token } = await openChallenge(deps.db, {
    tenantId: tenant.id,
    kind: "saml_upstream_logout",
    userId: upstream.userId,
    data: { connection_id: connection.id, request_id: requestId, next },
    now,
  });
  const { nameId, sessionIndex } = upstream;
  const head = {
    id: requestId,
    issueInstant: now,
    issuer: serviceProviderOf(deps, tenant, connection).entityId,
    destination: endpoint,
  };
  const xml = logoutRequest(head, {
    nameId: { ...nameId, format: nameId.format ?? nameIdFormats.unspecified },
    sessionIndex: sessionIndex ?? undefined,
    notOnOrAfter: addSeconds(now, REQUEST_SECONDS),
  });
  const message = await send(deps, tenant, {
    endpoint,
    binding,
    parameter: "SAMLRequest",
    xml,
    relayState: token,
    signed: true,
  });
  return { message, connection };
}

const REQUEST_SECONDS = 300;
