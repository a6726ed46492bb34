/** Single logout as applications ask for it (SAML Profiles §4.4). */
import type { Deps } from "../../deps.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { singleUse } from "../../protocol/oauth/single-use.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { type LogoutRequest, readPostLogout, readRedirectLogout } from "../../protocol/saml/logout.ts";
import { readPost } from "../../protocol/saml/post.ts";
import { readRedirect } from "../../protocol/saml/redirect.ts";
import * as audit from "../audit/service.ts";
import { useOnce } from "../replay/service.ts";
import type { RequestContext } from "../request-context.ts";
import { endSession } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { clocksOf, identityProviderOf, signaturePolicyOf } from "./entity.ts";
import { type ChainStep, continueChain, openChain, startChain } from "./logout-chain.ts";
import type { SamlClient } from "./model.ts";
import * as repo from "./repo.ts";

/** What came to the single logout service: the raw query of a redirect, or the fields of a form. */
export type LogoutTransport = { readonly query: string } | { readonly fields: URLSearchParams };

/**
 * Takes a message of an application: a request to end the user's session, or the answer to ours. Neither counts without a
 * signature by a registered certificate: anybody else could sign people out. No cookie is looked at, since none comes with a
 * form from elsewhere: what ends is the session that the message names.
 * @throws SamlError
 */
export async function takeLogout(
  deps: Deps,
  { tenant, client, context }: { tenant: Tenant; client: SamlClient; context: RequestContext },
  transport: LogoutTransport,
): Promise<ChainStep> {
  const { message, relayState } = read(deps, tenant, client, transport);
  if (message.kind === "request") {
    const sessionIds = await endNamed(deps, tenant, client, message, context);
    const answerTo = { clientId: client.id, requestId: message.id, relayState };
    return startChain(deps, tenant, sessionIds, { answerTo });
  }
  const chain = relayState === undefined ? undefined : await openChain(deps, tenant, relayState);
  const { awaiting } = chain ?? {};
  if (!chain || awaiting?.clientId !== client.id || awaiting.requestId !== message.inResponseTo)
    throw new SamlError("in_response_to", "an answer to no request of ours");
  return continueChain(deps, tenant, { ...chain, partial: chain.partial || !message.success });
}

function read(deps: Deps, tenant: Tenant, client: SamlClient, transport: LogoutTransport) {
  const destination = identityProviderOf(deps, tenant, client).sloUrl;
  const expected = { issuer: client.entityId, destination, ...clocksOf(deps) };
  const policy = signaturePolicyOf(client);
  if ("query" in transport) {
    const sent = readRedirect(transport.query);
    const message = readRedirectLogout(sent, policy, expected);
    return { message, relayState: sent.relayState };
  }
  const sent = readPost(transport.fields);
  const message = readPostLogout(sent.text, policy, expected);
  return { message, relayState: sent.relayState };
}

/** Longer than a request could be presented again. */
const REMEMBERED_SECONDS = 3600;

/**
 * Ends the sessions that a request means, before any other application is told of it: whatever goes wrong on the way, nobody
 * stays signed in here. A request that means none is answered as one whose work is done.
 */
async function endNamed(
  deps: Deps,
  tenant: Tenant,
  client: SamlClient,
  { id, nameId, sessionIndexes }: LogoutRequest,
  context: RequestContext,
): Promise<Id<"session">[]> {
  const acceptedUntil = deps.clock.now().getTime() / 1000 + REMEMBERED_SECONDS;
  const use = singleUse("saml_logout_request", { owner: client.id, id, acceptedUntil });
  if (!(await useOnce(deps.db, tenant.id, use))) throw new SamlError("replayed", "a request a second time");
  const indexes =
    sessionIndexes.length === 0 ? undefined : sessionIndexes.filter((index) => isId("samlSession", index));
  const named = await repo.findNamed(deps.db, client, { nameId: nameId.value, indexes });
  for (const { sessionId, userId } of named) {
    await endSession(
      deps,
      { tenantId: tenant.id, id: sessionId, userId },
      { actor: { type: "user", id: userId }, context, includingOffline: false },
    );
  }
  const sessions = named.map(({ sessionId }) => sessionId);
  if (sessions.length > 0)
    await audit.record(deps.db, {
      tenantId: tenant.id,
      type: "saml.logout_requested",
      actor: { type: "system" },
      target: { type: "saml_client", id: client.id },
      details: { sessions },
      context,
      now: deps.clock.now(),
    });
  return sessions;
}
