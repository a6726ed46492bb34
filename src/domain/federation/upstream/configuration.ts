/** `openid-client`, set up for one connection. Loaded when it is first needed: many installations have no connection. */
import type { Configuration } from "openid-client";
import type { Deps } from "../../../deps.ts";
import { systemClock } from "../../../lib/clock.ts";
import { type FetchedRequest, outboundFetch } from "../../../outbound/fetch.ts";
import type { Oauth2Connection, OidcConnection } from "../../connections/model.ts";
import { clientAuthentication } from "./client-authentication.ts";
import { upstreamServer } from "./metadata.ts";

/** Clocks that differ by more are somebody's to set right. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** The only origin whose metadata the library takes `{tenantid}` in an issuer for what it is. */
const TEMPLATED_ORIGIN = "https://login.microsoftonline.com/";

export interface OidcClient {
  readonly configuration: Configuration;
  /** Lets the next one have the keys that this one fetched. */
  keepKeys(): void;
}

/** @throws UpstreamError, OutboundError */
export async function oidcConfiguration(deps: Deps, connection: OidcConnection): Promise<Configuration> {
  return (await oidcClient(deps, connection)).configuration;
}

/** @throws UpstreamError, OutboundError */
export async function oidcClient(deps: Deps, connection: OidcConnection): Promise<OidcClient> {
  const client = await import("openid-client");
  const { config } = connection;
  const server = await upstreamServer(deps, connection);
  const authentication = await clientAuthentication(deps, connection);
  const about = {
    // Pinned: neither the token's header nor the provider's metadata says by what it is verified (RFC 8725 §3.1).
    id_token_signed_response_alg: config.id_token_signed_response_alg ?? "RS256",
    ...clocks(deps, client),
  };
  const configuration = config.issuer_template
    ? await client.discovery(new URL(TEMPLATED_ORIGIN), config.client_id, about, authentication, {
        [client.customFetch]: async () => Response.json(server.metadata),
      })
    : new client.Configuration(server.metadata, config.client_id, about, authentication);
  // The signature is verified also of a token that came from the token endpoint itself: what stands between us and it
  // (a proxy of the company's) could otherwise be anybody (OpenID Connect Core §3.1.3.7, 6).
  client.enableNonRepudiationChecks(configuration);
  if (server.jwks) client.setJwksCache(configuration, server.jwks);
  return {
    configuration: overOutbound(deps, client, configuration),
    keepKeys() {
      server.jwks = client.getJwksCache(configuration);
    },
  };
}

export async function oauth2Configuration(deps: Deps, connection: Oauth2Connection): Promise<Configuration> {
  const client = await import("openid-client");
  const { config } = connection;
  const { authorization_endpoint, token_endpoint, revocation_endpoint } = config;
  const issuer = new URL(token_endpoint).origin;
  const configuration = new client.Configuration(
    {
      issuer,
      authorization_endpoint,
      token_endpoint,
      ...(revocation_endpoint === undefined ? {} : { revocation_endpoint }),
    },
    config.client_id,
    clocks(deps, client),
    await clientAuthentication(deps, connection),
  );
  return overOutbound(deps, client, configuration, { withoutIdToken: true });
}

/** The library reads the system's clock: what ours differs by, it is told. */
function clocks(deps: Deps, client: typeof import("openid-client")) {
  const differenceMs = deps.clock.now().getTime() - systemClock.now().getTime();
  return {
    [client.clockSkew]: Math.round(differenceMs / 1000),
    [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
  };
}

function overOutbound(
  deps: Deps,
  client: typeof import("openid-client"),
  configuration: Configuration,
  options: { withoutIdToken: boolean } = { withoutIdToken: false },
): Configuration {
  const ask = outboundFetch(deps.outbound);
  const tokenEndpoint = configuration.serverMetadata().token_endpoint;
  // Whether plain HTTP is spoken is the outbound client's to say, which knows where we run.
  client.allowInsecureRequests(configuration);
  configuration[client.customFetch] = async (url: string, request: FetchedRequest) => {
    const response = await ask(url, request);
    return url === tokenEndpoint ? tokenResponse(response, options) : response;
  };
  return configuration;
}

/**
 * Some leave out `token_type` (RFC 6749 §5.1), and all mean Bearer. What calls itself an ID token means nothing where
 * nothing is known to verify it with.
 */
async function tokenResponse(
  response: Response,
  { withoutIdToken }: { withoutIdToken: boolean },
): Promise<Response> {
  if (response.status !== 200) return response;
  const text = await response.text();
  const headers = { "content-type": "application/json" };
  try {
    const { id_token: idToken, ...body }: Record<string, unknown> = JSON.parse(text);
    const kept = withoutIdToken || idToken === undefined ? {} : { id_token: idToken };
    return Response.json({ token_type: "Bearer", ...body, ...kept }, { headers });
  } catch {
    return new Response(text, { status: 200, headers });
  }
}
