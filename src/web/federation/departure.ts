/** Sending a browser to a connection. */
import type { Deps } from "../../deps.ts";
import { findConnection, type Connection } from "../../domain/connections/service.ts";
import { FederationRefusal } from "../../domain/federation/refusals.ts";
import { openRoundTrip, type RoundTrip } from "../../domain/federation/round-trip.ts";
import { redirectUriOf, upstreamAuthorizationUrl } from "../../domain/federation/upstream/service.ts";
import { issuerOf } from "../../domain/tenants/service.ts";
import { type PageRequest, respondWithPage, shellOf } from "../http.ts";
import type { PageAuthorization } from "../page-authorization.ts";
import { leadsElsewhere } from "./home-realm.ts";
import { renderLeaving } from "../pages/federation.tsx";

/** @throws FederationRefusal for one that there is not, or that is switched off: both look alike */
export async function requireConnection(deps: Deps, page: PageRequest, key: string): Promise<Connection> {
  const connection = await findConnection(deps, page.tenant.id, key);
  if (!connection?.enabled || !connection.allowSignIn || !leadsElsewhere(connection))
    throw new FederationRefusal("unavailable");
  return connection;
}

/**
 * The address of a trip to an OpenID provider or an OAuth server, whose state is this browser's alone.
 * @throws FederationRefusal
 */
export async function depart(
  deps: Deps,
  page: PageRequest,
  connection: Connection,
  trip: Pick<RoundTrip, "purpose" | "userId" | "sessionId"> & {
    authorization: PageAuthorization | undefined;
    loginHint?: string | undefined;
  },
): Promise<URL> {
  const { authorization, loginHint, ...rest } = trip;
  const { token, nonce, codeVerifier } = await openRoundTrip(deps, page.tenant, connection, {
    ...rest,
    interaction: authorization?.sealed,
    rememberMe: false,
    browserSecret: page.browser.secret,
  });
  return upstreamAuthorizationUrl(deps, connection, {
    redirectUri: redirectUriOf(deps, page.tenant, connection),
    state: token,
    nonce,
    codeVerifier,
    passedOn: {
      loginHint: loginHint ?? authorization?.loginHint,
      prompt: authorization?.prompt,
      maxAge: authorization?.maxAge,
      uiLocales: authorization?.uiLocales,
    },
  });
}

/** A page that leads on, for what follows a form. */
export function showLeaving(
  deps: Deps,
  page: PageRequest,
  connection: Pick<Connection, "name">,
  url: string,
  authorization: PageAuthorization | undefined,
): Response {
  const html = renderLeaving(shellOf(page, authorization), { connectionName: connection.name, url });
  return respondWithPage(deps, page, html, { authorization });
}

/**
 * Where a trip has to begin that is to come back to this browser: the redirect URI is under the tenant's issuer, and cookies
 * of another host do not come with it. Undefined: here.
 */
export function properPlace(deps: Deps, page: PageRequest): string | undefined {
  const issuer = new URL(issuerOf(page.tenant, deps.config.publicUrl));
  const base = issuer.pathname.replace(/\/$/, "");
  if (base === page.base) return undefined;
  // Routes do not see the tenant's part of a path.
  const { pathname, search } = new URL(page.request.url);
  return issuer.origin + base + pathname + search;
}
