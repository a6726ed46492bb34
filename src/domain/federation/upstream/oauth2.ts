/** Sign-in at an OAuth 2.0 server (RFC 6749 §4.1) that says by an API of its own who somebody is. */
import type { Deps } from "../../../deps.ts";
import type { OutboundRequest } from "../../../outbound/client.ts";
import { mapAttributes } from "../../connections/attribute-mapping.ts";
import type { Oauth2Connection } from "../../connections/model.ts";
import { oauth2Configuration } from "./configuration.ts";
import { UpstreamError } from "./errors.ts";
import type { UpstreamRequest, UpstreamResponse, UpstreamResult } from "./model.ts";
import { tokensOf } from "./tokens.ts";

type Claims = Readonly<Record<string, unknown>>;

/** GitHub refuses who does not say what they are. */
const USER_AGENT = "Gatewright";
const MAX_BYTES = 256 * 1024;

export async function oauth2AuthorizationUrl(
  deps: Deps,
  connection: Oauth2Connection,
  request: UpstreamRequest,
): Promise<URL> {
  const client = await import("openid-client");
  const { config } = connection;
  return client.buildAuthorizationUrl(await oauth2Configuration(deps, connection), {
    ...config.authorization_parameters,
    ...(config.pkce
      ? {
          code_challenge: await client.calculatePKCECodeChallenge(request.codeVerifier),
          code_challenge_method: "S256",
        }
      : {}),
    response_type: "code",
    redirect_uri: request.redirectUri,
    ...(config.scopes.length > 0 ? { scope: config.scopes.join(" ") } : {}),
    state: request.state,
  });
}

export async function oauth2Exchange(
  deps: Deps,
  connection: Oauth2Connection,
  response: UpstreamResponse,
): Promise<UpstreamResult> {
  const client = await import("openid-client");
  const { config } = connection;
  const url = new URL(response.redirectUri);
  url.search = response.parameters.toString();
  // Whose `iss` it is, nothing says here. That the answer is of this server, its own redirect URI does (RFC 9700 §4.4.2.2).
  url.searchParams.delete("iss");
  const answer = await client.authorizationCodeGrant(await oauth2Configuration(deps, connection), url, {
    expectedState: response.state,
    ...(config.pkce ? { pkceCodeVerifier: response.codeVerifier } : {}),
  });
  const person = await ask(deps, connection, config.userinfo_endpoint, answer.access_token);
  if (!isRecord(person)) throw new UpstreamError("userinfo", "it is no object");
  const address = config.emails_endpoint
    ? primaryAddress(await ask(deps, connection, config.emails_endpoint, answer.access_token))
    : {};
  // What somebody shows as their address is not what the list says of it.
  const { email, email_verified: verified, ...rest } = person;
  const shown = config.emails_endpoint ? {} : { email, email_verified: verified };
  return {
    identity: mapAttributes(connection, { ...rest, ...shown, ...address }),
    tokens: tokensOf(deps, answer),
  };
}

async function ask(
  deps: Deps,
  { config }: Oauth2Connection,
  endpoint: string,
  accessToken: string,
): Promise<unknown> {
  const url = new URL(endpoint);
  const inHeader = config.userinfo_auth === "header";
  if (!inHeader) url.searchParams.set("access_token", accessToken);
  const request: OutboundRequest = {
    method: endpoint === config.userinfo_endpoint ? config.userinfo_method : "GET",
    accept: "application/json",
    headers: {
      "user-agent": USER_AGENT,
      ...(inHeader ? { authorization: `Bearer ${accessToken}` } : {}),
    },
    maxBytes: MAX_BYTES,
  };
  const { status, body } = await deps.outbound.request(url.href, request);
  if (status !== 200) throw new UpstreamError("userinfo", `it was answered with ${status}`);
  try {
    return JSON.parse(new TextDecoder().decode(body), asWritten);
  } catch {
    throw new UpstreamError("userinfo", "it is no JSON");
  }
}

/** A number that JavaScript would round stays what it was written as: two people of neighbouring ids would else be one. */
const asWritten = (_name: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  Number.isInteger(value) && !Number.isSafeInteger(value) ? (source ?? value) : value;

/** The address that a list of `{email, primary, verified}` calls the primary one. */
function primaryAddress(list: unknown): Claims {
  const entries: unknown[] = Array.isArray(list) ? list : [];
  const primary = entries.find((entry) => isRecord(entry) && entry["primary"] === true);
  if (!isRecord(primary) || typeof primary["email"] !== "string") return {};
  return { email: primary["email"], email_verified: primary["verified"] === true };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
