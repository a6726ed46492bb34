import type { Deps } from "../../deps.ts";
import { startChain } from "../../domain/saml-idp/logout-chain.ts";
import { beginUpstreamLogout } from "../../domain/saml-sp/logout.ts";
import type { PageRequest } from "../http.ts";
import { carry } from "./carry.ts";
import { respondToChain } from "./idp-answers.ts";

/**
 * The way on from a sign-out here by everybody else that SAML has to tell: the applications that the session signed in to, one
 * after the other, and then the identity provider that it began at.
 * @param next where the person goes in the end
 * @returns undefined when nobody has to be told
 */
export async function byWayOfOthers(
  deps: Deps,
  page: PageRequest,
  next: string,
  cookies: readonly string[],
): Promise<Response | undefined> {
  const { session, tenant } = page;
  if (!session) return undefined;
  const upstream = await beginUpstreamLogout(deps, tenant, session, next);
  const last = upstream?.message ?? { kind: "redirect" as const, location: next };
  const step = await startChain(deps, tenant, [session.id], { last });
  if (step !== last) return respondToChain(deps, page, step, cookies);
  if (!upstream) return undefined;
  const response = carry(deps, page, upstream.message, upstream);
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}
