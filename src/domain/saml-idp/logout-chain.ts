/**
 * Telling the applications of a session that it is over (SAML Profiles §4.4.3.3): the browser takes a LogoutRequest to one
 * after the other, each of which sends it back with an answer. What is still to be done waits here, as a challenge whose token
 * is the RelayState: it works once, and for the answer that it waits for.
 */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Id } from "../../lib/ids.ts";
import { newMessageId } from "../../lib/message-id.ts";
import { logoutRequest, logoutResponse } from "../../protocol/saml/build/logout.ts";
import { redirectUrl } from "../../protocol/saml/build/redirect.ts";
import { signDocument } from "../../protocol/saml/build/sign.ts";
import type { Xml } from "../../protocol/saml/build/xml.ts";
import { statusCodes } from "../../protocol/saml/names.ts";
import type { MessageParameter } from "../../protocol/saml/redirect.ts";
import { challengeLifetimeSeconds, consumeOneChallenge, openChallenge } from "../challenges/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { samlCredentials } from "./credentials.ts";
import { identityProviderOf } from "./entity.ts";
import type { PostedMessage } from "./flow.ts";
import type { SamlClient } from "./model.ts";
import * as repo from "./repo.ts";
import { findSamlClient } from "./service.ts";

interface Participant {
  readonly clientId: Id<"samlClient">;
  readonly nameId: string;
  readonly nameIdFormat: string;
  readonly sessionIndex: string;
}

export interface Chain {
  readonly pending: readonly Participant[];
  /** Whose answer to which of our requests comes next. */
  readonly awaiting?: { readonly clientId: Id<"samlClient">; readonly requestId: string };
  /** The application that asked for the logout, and waits for our answer. */
  readonly answerTo?: {
    readonly clientId: Id<"samlClient">;
    readonly requestId: string;
    readonly relayState?: string | undefined;
  };
  /** Where the browser goes in the end, when nobody waits for an answer. */
  readonly last?: Carried;
  /** Whether some application was not told, or did not do it. */
  readonly partial: boolean;
}

/** What the browser is sent on with. */
export type Carried = PostedMessage | { readonly kind: "redirect"; readonly location: string };

/** Where the browser goes next; `done`: nowhere. */
export type ChainStep = Carried | { readonly kind: "done" };

/**
 * Begins with the applications of sessions that have ended.
 * @param end `answerTo` is told at the end and not asked, since it knows
 */
export async function startChain(
  deps: Deps,
  tenant: Tenant,
  sessionIds: readonly Id<"session">[],
  end: Pick<Chain, "answerTo" | "last">,
): Promise<ChainStep> {
  const sessions = await repo.takeParticipants(deps.db, tenant.id, sessionIds);
  const pending = sessions
    .filter(({ samlClientId }) => samlClientId !== end.answerTo?.clientId)
    .map(({ id, samlClientId, nameId, nameIdFormat }) => ({
      clientId: samlClientId,
      nameId,
      nameIdFormat,
      sessionIndex: id,
    }));
  return continueChain(deps, tenant, { ...end, pending, partial: false });
}

/** @returns what waits for an answer that came with this RelayState, once; undefined for any other */
export async function openChain(deps: Deps, tenant: Tenant, relayState: string): Promise<Chain | undefined> {
  const now = deps.clock.now();
  const found = await consumeOneChallenge(deps.db, tenant.id, "saml_logout", relayState, now);
  // Written below, and by nobody else.
  return found && (found.data as { chain: Chain }).chain;
}

/** On to the next application, or to the end. */
export async function continueChain(deps: Deps, tenant: Tenant, chain: Chain): Promise<ChainStep> {
  const [next, ...pending] = chain.pending;
  if (!next) return endChain(deps, tenant, chain);
  const client = await findSamlClient(deps, tenant.id, next.clientId);
  if (!client?.sloUrl) return continueChain(deps, tenant, { ...chain, pending, partial: true });
  const now = deps.clock.now();
  const requestId = newMessageId();
  const awaiting = { clientId: client.id, requestId };
  const { token } = await openChallenge(deps.db, {
    tenantId: tenant.id,
    kind: "saml_logout",
    userId: null,
    data: { chain: { ...chain, pending, awaiting } },
    now,
  });
  const request = logoutRequest(
    {
      id: requestId,
      issueInstant: now,
      issuer: identityProviderOf(deps, tenant, client).entityId,
      destination: client.sloUrl,
    },
    {
      nameId: {
        format: next.nameIdFormat,
        value: next.nameId,
        ...(isQualified(next.nameIdFormat)
          ? {
              nameQualifier: identityProviderOf(deps, tenant, client).entityId,
              spNameQualifier: client.entityId,
            }
          : {}),
      },
      sessionIndex: next.sessionIndex,
      notOnOrAfter: addSeconds(now, challengeLifetimeSeconds.saml_logout),
    },
  );
  return send(deps, tenant, client, client.sloUrl, {
    parameter: "SAMLRequest",
    document: request,
    relayState: token,
  });
}

/** As in the assertion: applications compare names with all that belongs to them. */
const isQualified = (format: string) => /:(?:persistent|transient)$/.test(format);

async function endChain(deps: Deps, tenant: Tenant, chain: Chain): Promise<ChainStep> {
  const { answerTo, last, partial } = chain;
  if (!answerTo) return last ?? { kind: "done" };
  const client = await findSamlClient(deps, tenant.id, answerTo.clientId);
  if (!client?.sloUrl) return { kind: "done" };
  const response = logoutResponse(
    {
      id: newMessageId(),
      issueInstant: deps.clock.now(),
      issuer: identityProviderOf(deps, tenant, client).entityId,
      destination: client.sloUrl,
      inResponseTo: answerTo.requestId,
    },
    { code: statusCodes.success, ...(partial ? { subcode: statusCodes.partialLogout } : {}) },
  );
  return send(deps, tenant, client, client.sloUrl, {
    parameter: "SAMLResponse",
    document: response,
    relayState: answerTo.relayState,
  });
}

async function send(
  deps: Deps,
  tenant: Tenant,
  client: SamlClient,
  sloUrl: string,
  message: { parameter: MessageParameter; document: Xml; relayState: string | undefined },
): Promise<ChainStep> {
  const { parameter, document, relayState } = message;
  const { signer } = await samlCredentials(deps, tenant.id);
  if (client.sloBinding === "redirect") {
    const location = redirectUrl(sloUrl, parameter, document, { relayState, signer });
    return { kind: "redirect", location };
  }
  const signed = signDocument(document, signer, { after: "Issuer" });
  return {
    kind: "post",
    action: sloUrl,
    fields: {
      [parameter]: Buffer.from(signed.xml).toString("base64"),
      ...(relayState === undefined ? {} : { RelayState: relayState }),
    },
  };
}
