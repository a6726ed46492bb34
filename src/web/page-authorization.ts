/**
 * The request of an application that a sign-in's pages belong to. They are the same whatever the application speaks, and
 * carry its request with them, sealed: OAuth's authorization request, or SAML's AuthnRequest.
 */
import type { Deps } from "../deps.ts";
import { type PendingAuthorization, readAuthorization } from "../domain/authorization/flow.ts";
import { type Interaction, openInteraction } from "../domain/authorization/interaction.ts";
import type { Client } from "../domain/clients/service.ts";
import { isSamlInteraction, readSamlInteraction } from "../domain/saml-idp/interaction.ts";
import { AppError } from "../lib/errors.ts";
import { isVouchedFor } from "../protocol/oauth/client-identity.ts";
import { pendingCookieName, serializeCookie } from "./cookies.ts";
import type { PageRequest } from "./http.ts";
import type { ClientView } from "./shell.ts";

/** What the pages need to know of the request that they belong to. */
export interface PageAuthorization {
  readonly sealed: string;
  /** The endpoint that goes on with it, once the person did what they were asked for. */
  readonly resumePath: string;
  readonly application: ClientView;
  /** Where its answer goes: a redirect URI, or an assertion consumer service. */
  readonly answeredAt: string;
  readonly loginHint: string | undefined;
  readonly uiLocales: readonly string[];
  /** The connection that the application sends people to (`connection`), by its key or its id. */
  readonly connection: string | undefined;
  /** What of the sign-in it asks for (OpenID Connect Core §3.1.2.1), to be asked of a connection as well. */
  readonly prompt: readonly string[];
  /** Seconds. */
  readonly maxAge: number | undefined;
}

/** The same of an OAuth request, with what its own pages need besides. */
export interface OAuthPageAuthorization extends PageAuthorization, PendingAuthorization {
  readonly interaction: Interaction;
}

/** @throws AppError when the request it belongs to is too old, or not valid (any more) */
export async function pageAuthorization(
  deps: Deps,
  page: PageRequest,
  sealed: string | undefined,
): Promise<PageAuthorization | undefined> {
  if (!sealed) return undefined;
  if (!isSamlInteraction(sealed)) return oauthAuthorization(deps, page, sealed);
  const found = await readSamlInteraction(deps, page.tenant, sealed);
  if (!found) throw interactionExpired();
  const { client, interaction } = found;
  return {
    sealed,
    resumePath: `/saml/${client.id}/sso`,
    application: { name: client.name },
    answeredAt: interaction.acsUrl,
    loginHint: client.nameIdFormat === "emailAddress" ? interaction.subject : undefined,
    uiLocales: [],
    connection: undefined,
    prompt: interaction.forceAuthn ? ["login"] : [],
    maxAge: undefined,
  };
}

/** @throws AppError when the request is too old, or not valid (any more) */
export async function oauthAuthorization(
  deps: Deps,
  page: PageRequest,
  sealed: string,
): Promise<OAuthPageAuthorization> {
  const interaction = openInteraction(deps, page.tenant, sealed);
  if (!interaction) throw interactionExpired();
  const pending = await readAuthorization(deps, page.tenant, interaction);
  return {
    sealed,
    interaction,
    ...pending,
    resumePath: "/oauth/authorize",
    application: clientView(pending),
    answeredAt: pending.request.redirectUri,
    loginHint: pending.request.loginHint,
    uiLocales: pending.request.uiLocales,
    connection: new URLSearchParams(interaction.search).get("connection") ?? undefined,
    prompt: pending.request.prompt,
    maxAge: pending.request.maxAge,
  };
}

export const interactionExpired = () =>
  new AppError(
    400,
    "invalid_request",
    "This sign-in took too long. Please go back to the application and start again.",
  );

/**
 * What the pages show of an application. The logo only where an administrator vouches for it: one that somebody chose for
 * themselves would make people trust it, and would tell its address who opens the page.
 */
export function clientView({ client }: { client: Client }): ClientView {
  return {
    name: client.name,
    logoUrl: isVouchedFor(client) ? (client.logoUri ?? undefined) : undefined,
    homepageUrl: client.clientUri ?? undefined,
    policyUrl: client.policyUri ?? undefined,
    termsUrl: client.tosUri ?? undefined,
  };
}

/** Browsers keep no larger cookies; a request that does not fit is not remembered, and its tab is still open. */
const MOST_REMEMBERED = 3500;
const REMEMBERED_SECONDS = 2 * 60 * 60;

/** Lets the browser keep an authorization request while the person looks for a mail. */
export function rememberAuthorization(
  response: Response,
  authorization: PageAuthorization | undefined,
): Response {
  if (authorization && authorization.sealed.length <= MOST_REMEMBERED) {
    const cookie = serializeCookie(pendingCookieName, authorization.sealed, {
      maxAgeSeconds: REMEMBERED_SECONDS,
    });
    response.headers.append("set-cookie", cookie);
  }
  return response;
}

/** The authorization request that this browser was told to keep, if it can still be answered. */
export async function rememberedAuthorization(
  deps: Deps,
  page: PageRequest,
): Promise<PageAuthorization | undefined> {
  try {
    return await pageAuthorization(deps, page, page.cookies.get(pendingCookieName));
  } catch (error) {
    // It is too old, or its client is gone by now: then there is nothing to lead back to.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
