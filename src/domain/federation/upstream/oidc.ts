/** Sign-in at an OpenID provider (OpenID Connect Core §3.1): our side as its client. */
import type { Deps } from "../../../deps.ts";
import { mapAttributes } from "../../connections/attribute-mapping.ts";
import type { OidcConnection } from "../../connections/model.ts";
import { oidcClient, oidcConfiguration } from "./configuration.ts";
import { UpstreamError } from "./errors.ts";
import type { UpstreamRequest, UpstreamResponse, UpstreamResult } from "./model.ts";
import { tokensOf } from "./tokens.ts";

type Claims = Readonly<Record<string, unknown>>;

/** What of an application's `prompt` is a provider's business. What our client may do is agreed to here (`consent`). */
const PROMPTS_PASSED_ON = ["login", "select_account"];
const CLOCK_TOLERANCE_SECONDS = 60;

export async function oidcAuthorizationUrl(
  deps: Deps,
  connection: OidcConnection,
  request: UpstreamRequest,
): Promise<URL> {
  const client = await import("openid-client");
  const { config } = connection;
  const configuration = await oidcConfiguration(deps, connection);
  const { loginHint, prompt = [], maxAge, uiLocales = [] } = request.passedOn;
  const asked = prompt.filter((one) => PROMPTS_PASSED_ON.includes(one)).join(" ") || config.prompt;
  return client.buildAuthorizationUrl(configuration, {
    ...config.authorization_parameters,
    ...(loginHint ? { login_hint: loginHint } : {}),
    ...(asked ? { prompt: asked } : {}),
    ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
    ...(uiLocales.length > 0 ? { ui_locales: uiLocales.join(" ") } : {}),
    ...(config.response_mode ? { response_mode: config.response_mode } : {}),
    ...(config.pkce
      ? {
          code_challenge: await client.calculatePKCECodeChallenge(request.codeVerifier),
          code_challenge_method: "S256",
        }
      : {}),
    ...(config.nonce ? { nonce: request.nonce } : {}),
    response_type: "code",
    redirect_uri: request.redirectUri,
    scope: [...new Set(["openid", ...config.scopes])].join(" "),
    state: request.state,
  });
}

/**
 * The code for an ID token, which the library holds to its issuer, audience (sole, or with us as `azp`), algorithm, signature,
 * nonce and times, and the answer's own `iss` to the provider's (RFC 9207).
 */
export async function oidcExchange(
  deps: Deps,
  connection: OidcConnection,
  response: UpstreamResponse,
): Promise<UpstreamResult> {
  const client = await import("openid-client");
  const { config } = connection;
  const { configuration, keepKeys } = await oidcClient(deps, connection);
  const url = new URL(response.redirectUri);
  url.search = response.parameters.toString();
  const answer = await client.authorizationCodeGrant(configuration, url, {
    expectedState: response.state,
    idTokenExpected: true,
    ...(config.nonce ? { expectedNonce: response.nonce } : {}),
    ...(config.pkce ? { pkceCodeVerifier: response.codeVerifier } : {}),
  });
  keepKeys();
  const claims = answer.claims();
  if (!claims) throw new UpstreamError("id_token", "there is none");
  requireTenant(connection, claims);
  requireRecent(deps, claims, response.maxAge);
  const told = config.fetch_userinfo
    ? await client.fetchUserInfo(configuration, answer.access_token, claims.sub)
    : {};
  return {
    identity: mapAttributes(connection, mergedClaims(claims, { ...namesOf(connection, response), ...told })),
    tokens: tokensOf(deps, answer),
  };
}

/**
 * Apple says somebody's name at their first sign-in alone, in a field of the form (`user`). The browser could have written it:
 * names are taken from there, and no address.
 */
function namesOf({ config }: OidcConnection, { parameters }: UpstreamResponse): Claims {
  const field = parameters.get("user");
  if (config.response_mode !== "form_post" || field === null) return {};
  try {
    const { name }: { name?: { firstName?: unknown; lastName?: unknown } } = JSON.parse(field);
    return { given_name: name?.firstName, family_name: name?.lastName };
  } catch {
    return {};
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** For a provider of many directories: the token is of the directory that it names, and of one that may sign in. */
function requireTenant({ config }: OidcConnection, claims: Claims): void {
  const { issuer_template: template, allowed_tenant_ids: allowed } = config;
  if (!template) return;
  const tid = claims["tid"];
  if (typeof tid !== "string" || !UUID.test(tid) || claims["iss"] !== template.split("{tenantid}").join(tid))
    throw new UpstreamError("id_token", "its issuer is not that of its directory");
  if (allowed && !allowed.includes(tid))
    throw new UpstreamError("id_token", "it is of a directory that may not sign in");
}

/** Not every provider says when; one that does is held to it (OpenID Connect Core §3.1.3.7, 13). */
function requireRecent(deps: Deps, claims: Claims, maxAge: number | undefined): void {
  const authTime = claims["auth_time"];
  if (maxAge === undefined || typeof authTime !== "number") return;
  const age = deps.clock.now().getTime() / 1000 - authTime;
  if (age > maxAge + CLOCK_TOLERANCE_SECONDS)
    throw new UpstreamError("id_token", "the person proved who they are too long ago");
}

/**
 * The signed claims first, the UserInfo endpoint's beside them. What is said of an address is taken from where the address
 * is: an `email_verified` of one about the `email` of the other would vouch for an address that nobody verified.
 */
export function mergedClaims(signed: Claims, told: Claims): Claims {
  const { email, email_verified: verified, ...rest } = signed;
  const { email: toldEmail, email_verified: toldVerified, ...toldRest } = told;
  const address =
    email === undefined
      ? { email: toldEmail, email_verified: toldVerified }
      : { email, email_verified: verified };
  return { ...toldRest, ...rest, ...(address.email === undefined ? {} : address) };
}
