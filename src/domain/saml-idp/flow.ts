/**
 * The single sign-on service, called anew after each page of the sign-in: it asks for what is still missing, or answers
 * (SAML Profiles §4.1.3.3 to §4.1.3.5).
 */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { newId } from "../../lib/ids.ts";
import { newMessageId } from "../../lib/message-id.ts";
import { singleUse } from "../../protocol/oauth/single-use.ts";
import type { NameId } from "../../protocol/saml/build/message.ts";
import { errorResponse, successResponse } from "../../protocol/saml/build/response.ts";
import type { Xml } from "../../protocol/saml/build/xml.ts";
import { SamlError } from "../../protocol/saml/errors.ts";
import { contextClassOf } from "../../protocol/saml/idp/authn-context.ts";
import type { AuthnRefusal } from "../../protocol/saml/idp/authn-request.ts";
import { statusCodes } from "../../protocol/saml/names.ts";
import type { Executor } from "../../db/client.ts";
import * as audit from "../audit/service.ts";
import { useOnce } from "../replay/service.ts";
import type { RequestContext } from "../request-context.ts";
import { lockLiveSession, type Session } from "../sessions/service.ts";
import type { Tenant } from "../tenants/service.ts";
import { samlCredentials } from "./credentials.ts";
import { identityProviderOf } from "./entity.ts";
import { INTERACTION_SECONDS, type SamlInteraction } from "./interaction.ts";
import type { SamlClient } from "./model.ts";
import * as repo from "./repo.ts";
import { attributesOf, nameIdOf, userScope } from "./statements.ts";

/** One visit of a browser at the single sign-on service. */
export interface SamlVisit {
  readonly tenant: Tenant;
  readonly client: SamlClient;
  readonly interaction: SamlInteraction;
  readonly session: Session | undefined;
  readonly context: RequestContext;
}

/** A message that the browser posts to an application. */
export interface PostedMessage {
  readonly kind: "post";
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export type SamlOutcome =
  | PostedMessage
  | {
      readonly kind: "page";
      readonly page: "login" | "step_up";
      readonly interaction: SamlInteraction;
    };

/**
 * @throws AppError 403 for a person that the application cannot be told of
 * @throws SamlError for a request that was answered before
 */
export async function continueSaml(deps: Deps, visit: SamlVisit): Promise<SamlOutcome> {
  const { tenant, client, interaction, session } = visit;
  const ask = (page: "login" | "step_up") =>
    interaction.isPassive ? refuse(deps, visit, "NoPassive") : ({ kind: "page", page, interaction } as const);
  if (!session) return ask("login");
  // The request's own moment is sealed: nobody can make an old sign-in look like a new one.
  const fresh = session.authTime >= interaction.requestedAt;
  if (interaction.forceAuthn && !fresh) return ask("login");
  const { user } = session;
  const scope = await userScope(deps, user);
  const issuer = identityProviderOf(deps, tenant, client).entityId;
  const nameId = nameIdOf(tenant, client, { user, scope, issuer });
  if (interaction.subject !== undefined && interaction.subject !== nameId.value)
    return fresh ? refuse(deps, visit, "UnknownPrincipal") : ask("login");
  const contextClass = contextClassOf(session, interaction.contextClasses);
  if (contextClass === undefined) return ask("step_up");
  return answer(deps, { ...visit, session }, { issuer, nameId, scope, contextClass });
}

type Live = SamlVisit & { readonly session: Session };

async function answer(
  deps: Deps,
  visit: Live,
  said: { issuer: string; nameId: NameId; scope: Record<string, unknown>; contextClass: string },
): Promise<SamlOutcome> {
  const { tenant, client, interaction, session } = visit;
  const now = deps.clock.now();
  const [assertionId, responseId] = [newMessageId(), newMessageId()];
  const noted = await deps.db.transaction(async (tx) => {
    if (!(await lockLiveSession(tx, tenant.id, session.id))) return undefined;
    await useRequest(tx, visit);
    const row = await repo.openSession(tx, {
      ...ownerOf(visit),
      id: newId("samlSession"),
      nameId: said.nameId.value,
      nameIdFormat: said.nameId.format,
      createdAt: now,
    });
    await audit.record(tx, {
      tenantId: tenant.id,
      type: "saml.assertion_issued",
      actor: { type: "user", id: session.user.id },
      target: { type: "saml_client", id: client.id },
      details: {
        session: session.id,
        assertion: assertionId,
        initiated_by: interaction.inResponseTo === undefined ? "idp" : "sp",
      },
      context: visit.context,
      now,
    });
    return row;
  });
  // It was ended meanwhile.
  if (!noted) return continueSaml(deps, { ...visit, session: undefined });
  const { signer } = await samlCredentials(deps, tenant.id);
  const response = await successResponse(
    headOf(visit, said.issuer, responseId, now),
    {
      id: assertionId,
      issuer: said.issuer,
      issueInstant: now,
      nameId: { ...said.nameId, value: noted.nameId },
      audience: client.entityId,
      recipient: interaction.acsUrl,
      inResponseTo: interaction.inResponseTo,
      notBefore: addSeconds(now, -EARLY_SECONDS),
      notOnOrAfter: addSeconds(now, ASSERTION_SECONDS),
      authnInstant: session.authTime,
      sessionIndex: noted.id,
      sessionNotOnOrAfter: sessionEnd(client, session, now),
      authnContextClassRef: said.contextClass,
      attributes: attributesOf(client, said.scope),
    },
    {
      signer,
      signResponse: client.signResponse,
      signAssertion: client.signAssertion,
      encryptFor: client.encryptAssertion ? (client.encryptionCertificate ?? undefined) : undefined,
    },
  );
  return posted(interaction, response);
}

/** For applications whose clock is behind. */
const EARLY_SECONDS = 60;
/** An assertion travels through one form. */
const ASSERTION_SECONDS = 5 * 60;

const ownerOf = ({ tenant, client, session }: Live) => ({
  tenantId: tenant.id,
  samlClientId: client.id,
  sessionId: session.id,
  userId: session.user.id,
});

/** A request is answered once, whoever else has a copy of it. @throws SamlError */
async function useRequest(tx: Executor, { tenant, client, interaction }: SamlVisit): Promise<void> {
  const { inResponseTo, requestedAt } = interaction;
  if (inResponseTo === undefined) return;
  // As long as a sealed copy of it can be opened.
  const acceptedUntil = requestedAt.getTime() / 1000 + 2 * INTERACTION_SECONDS;
  const use = singleUse("saml_request", { owner: client.id, id: inResponseTo, acceptedUntil });
  if (!(await useOnce(tx, tenant.id, use))) throw new SamlError("replayed", "a request that was answered");
}

function sessionEnd(client: SamlClient, session: Session, now: Date): Date {
  if (client.sessionLifetimeSeconds === null) return session.expiresAt;
  const end = addSeconds(now, client.sessionLifetimeSeconds);
  return end < session.expiresAt ? end : session.expiresAt;
}

/** Whose fault it is (SAML Core §3.2.2.2). */
const requesterErrs: ReadonlySet<AuthnRefusal> = new Set(["UnsupportedBinding", "InvalidNameIDPolicy"]);

/** Answers without an assertion. To the application alone, whose address is registered. */
export async function refuse(
  deps: Deps,
  visit: Pick<SamlVisit, "tenant" | "client" | "interaction">,
  reason: AuthnRefusal,
): Promise<PostedMessage> {
  const { tenant, client } = visit;
  const issuer = identityProviderOf(deps, tenant, client).entityId;
  const { signer } = await samlCredentials(deps, tenant.id);
  const response = errorResponse(
    headOf(visit, issuer, newMessageId(), deps.clock.now()),
    {
      code: requesterErrs.has(reason) ? statusCodes.requester : statusCodes.responder,
      subcode: `urn:oasis:names:tc:SAML:2.0:status:${reason}`,
    },
    signer,
  );
  return posted(visit.interaction, response);
}

const headOf = (
  { interaction }: Pick<SamlVisit, "interaction">,
  issuer: string,
  id: string,
  issueInstant: Date,
) => ({
  id,
  issueInstant,
  issuer,
  destination: interaction.acsUrl,
  inResponseTo: interaction.inResponseTo,
});

const posted = ({ acsUrl, relayState }: SamlInteraction, response: Xml): PostedMessage => ({
  kind: "post",
  action: acsUrl,
  fields: {
    SAMLResponse: Buffer.from(response.xml).toString("base64"),
    ...(relayState === undefined ? {} : { RelayState: relayState }),
  },
});
