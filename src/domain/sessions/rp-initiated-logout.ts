import type { Deps } from "../../deps.ts";
import { openText, sealText } from "../../lib/master-keys.ts";
import type { RequestParameters } from "../../protocol/oauth/parameters.ts";
import {
  decideLogout,
  type LogoutDecision,
  logoutClientId,
  readLogoutRequest,
} from "../../protocol/oidc/rp-initiated-logout.ts";
import { sessionIdOf, subjectOf } from "../access-tokens/subject.ts";
import { type Client, findClient } from "../clients/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import { readIdTokenHint } from "./id-token-hint.ts";
import { endSession, type Session } from "./service.ts";

export interface LogoutStep {
  readonly decision: LogoutDecision;
  /** The application that asks, as far as it said so. */
  readonly client: Client | undefined;
}

/**
 * One request of the end-session endpoint (OpenID Connect RP-Initiated Logout §2). Changes nothing.
 * @throws OAuthError invalid_request, to be shown to the person
 */
export async function readLogout(
  deps: Deps,
  input: { tenant: Tenant; parameters: RequestParameters; session: Session | undefined },
): Promise<LogoutStep> {
  const { tenant, parameters, session } = input;
  const request = readLogoutRequest(parameters);
  const hint =
    request.idTokenHint === undefined
      ? undefined
      : ((await readIdTokenHint(deps, tenant, request.idTokenHint)) ?? "invalid");
  const clientId = logoutClientId(request, hint);
  const client = clientId === undefined ? undefined : await findClient(deps, tenant.id, clientId);
  const decision = decideLogout({
    request,
    hint: hint === "invalid" ? undefined : hint,
    client,
    session: session && knownAs(tenant, client, session),
  });
  return { decision, client };
}

/** Without a client there is no pairwise subject to compare with. */
function knownAs(tenant: Tenant, client: Client | undefined, session: Session) {
  if (!client) return { id: session.id, subject: session.user.id };
  return {
    id: sessionIdOf(tenant, client, session.id),
    subject: subjectOf(tenant, client, session.user.id),
  };
}

/** Signs the person out of this browser; tokens with `offline_access` stay (OpenID Connect Core §11). */
export function signOutBrowser(
  deps: Deps,
  tenant: Tenant,
  session: Session,
  context: RequestContext,
): Promise<void> {
  return endSession(
    deps,
    { tenantId: tenant.id, id: session.id, userId: session.user.id },
    { actor: { type: "user", id: session.user.id }, context, includingOffline: false },
  );
}

/** One redirect, within the same browser. */
const CARRIED_SECONDS = 300;

const contextOf = (tenant: Tenant) => `logout/${tenant.id}`;

/** A posted request, for the browser to carry to GET: an ID token in it shows in no address and no history. */
export function sealLogout(deps: Deps, tenant: Tenant, search: string): string {
  const plaintext = JSON.stringify({ search, at: deps.clock.now().getTime() });
  return sealText(deps.secrets.interactions, plaintext, contextOf(tenant));
}

/** @returns undefined when it is another tenant's, too old, or not ours */
export function openLogout(deps: Deps, tenant: Tenant, sealed: string): string | undefined {
  const plaintext = openText(deps.secrets.interactions, sealed, contextOf(tenant));
  if (!plaintext) return undefined;
  const { search, at }: { search: string; at: number } = JSON.parse(plaintext);
  return deps.clock.now().getTime() - at <= CARRIED_SECONDS * 1000 ? search : undefined;
}
