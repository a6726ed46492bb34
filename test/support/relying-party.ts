/** An application that people sign in to, made with `openid-client` as its authors mean it to be used. */
import * as client from "openid-client";
import type { Client } from "../../src/domain/clients/service.ts";
import { freePort } from "./free-port.ts";

/** What registering a client answers. */
export interface Registered {
  readonly client: Client;
  readonly clientSecret: string | undefined;
}

/**
 * Discovery, and every later check that the library offers: it fetches the JWKS and verifies each ID token's
 * signature. HTTP is allowed, since the servers of tests have no certificates.
 */
export function discover(
  issuer: string,
  { client: registered, clientSecret }: Registered,
  options: { algorithm?: "oidc" | "oauth2" } = {},
): Promise<client.Configuration> {
  return client.discovery(
    new URL(issuer),
    registered.clientId,
    { id_token_signed_response_alg: registered.idTokenSignedResponseAlg },
    authenticationOf(registered.tokenEndpointAuthMethod, clientSecret),
    { ...options, execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
}

function authenticationOf(method: string, clientSecret: string | undefined): client.ClientAuth {
  if (method === "client_secret_basic") return client.ClientSecretBasic(clientSecret);
  return method === "client_secret_post" ? client.ClientSecretPost(clientSecret) : client.None();
}

/** A sign-in that an application began and waits to hear of. */
export interface PendingLogin {
  readonly url: URL;
  readonly state: string;
  readonly checks: Required<
    Pick<client.AuthorizationCodeGrantChecks, "expectedState" | "expectedNonce" | "pkceCodeVerifier">
  > &
    client.AuthorizationCodeGrantChecks;
}

export const DEFAULT_SCOPE = "openid profile email";

/** The authorization URL with PKCE S256, state and nonce, and what the answer is checked against. */
export async function beginLogin(
  config: client.Configuration,
  redirectUri: string,
  parameters: Record<string, string> = {},
): Promise<PendingLogin> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: DEFAULT_SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...parameters,
  });
  const maxAge = parameters["max_age"];
  return {
    url,
    state,
    checks: {
      pkceCodeVerifier,
      expectedState: state,
      expectedNonce: nonce,
      ...(maxAge === undefined ? {} : { maxAge: Number(maxAge) }),
    },
  };
}

export interface RelyingParty {
  /** `http://localhost:<port>`: opening it shows a link that begins a sign-in. */
  readonly url: string;
  readonly redirectUri: string;
  /** Opening it begins a sign-in with these authorization parameters on top of the usual ones. */
  loginUrl(parameters?: Record<string, string>): string;
  stop(): Promise<void>;
}

/**
 * Serves the application. What it learns is shown on the page it ends at: `#claims` holds the ID token's verified
 * claims and UserInfo as JSON, `#error` the error that came instead.
 * @param register is told the redirect URI, and answers with the client
 */
export async function startRelyingParty(
  issuer: string,
  register: (redirectUri: string) => Promise<Registered>,
): Promise<RelyingParty> {
  const port = freePort();
  const url = `http://localhost:${port}`;
  const redirectUri = `${url}/callback`;
  const config = await discover(issuer, await register(redirectUri));
  const pending = new Map<string, PendingLogin>();
  const server = Bun.serve({
    port,
    hostname: "localhost",
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/") return page('<a href="/login">Sign in</a>');
      if (pathname === "/callback") return page(await outcomeOf(config, request, pending));
      if (pathname !== "/login") return page("not found", 404);
      const login = await beginLogin(config, redirectUri, Object.fromEntries(searchParams));
      pending.set(login.state, login);
      return Response.redirect(login.url.href, 302);
    },
  });
  return {
    url,
    redirectUri,
    loginUrl: (parameters = {}) => `${url}/login?${new URLSearchParams(parameters)}`,
    stop: () => server.stop(true),
  };
}

async function outcomeOf(
  config: client.Configuration,
  request: Request,
  pending: Map<string, PendingLogin>,
): Promise<string> {
  const answer =
    request.method === "POST" ? await request.clone().formData() : new URL(request.url).searchParams;
  const state = String(answer.get("state"));
  const login = pending.get(state);
  pending.delete(state);
  if (!login) return shown("error", { error: "unknown state" });
  try {
    const tokens = await client.authorizationCodeGrant(config, request, login.checks);
    const idToken = tokens.claims();
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, idToken?.sub ?? "");
    return shown("claims", { method: request.method, id_token: idToken, userinfo });
  } catch (error) {
    if (!(error instanceof client.AuthorizationResponseError)) throw error;
    return shown("error", Object.fromEntries(error.cause));
  }
}

const shown = (id: string, value: unknown) =>
  `<pre id="${id}">${Bun.escapeHTML(JSON.stringify(value))}</pre>`;

function page(content: string, status = 200): Response {
  const html = `<!doctype html><html lang="en"><title>Relying party</title><link rel="icon" href="data:,">${content}</html>`;
  return new Response(html, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}
