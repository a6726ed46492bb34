/** How we prove to an upstream provider which client we are. */
import { createPrivateKey } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { ClientAuth } from "openid-client";
import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import { randomSecret } from "../../../lib/crypto.ts";
import { importSigningKey, type SigningKey } from "../../../protocol/jose/keys.ts";
import { signJwt } from "../../../protocol/jose/sign-jwt.ts";
import { connectionSecrets, type Oauth2Connection, type OidcConnection } from "../../connections/service.ts";

/** Apple takes up to six months; a leaked one is worth little this way. */
const APPLE_SECRET_SECONDS = 60 * 60;
const ASSERTION_SECONDS = 60;

/** @throws MasterKeyError */
export async function clientAuthentication(
  deps: Deps,
  connection: OidcConnection | Oauth2Connection,
): Promise<ClientAuth> {
  const client = await import("openid-client");
  const secrets = await connectionSecrets(deps, connection);
  const secret = secrets["client_secret"];
  const privateKey = secrets["private_key"];
  const { config } = connection;
  if (privateKey && connection.kind === "oidc") {
    if (connection.config.team_id)
      return client.ClientSecretPost(await appleSecret(deps, connection, privateKey));
    if (config.token_endpoint_auth_method === "private_key_jwt")
      return privateKeyJwt(deps, connection, privateKey);
  }
  if (!secret || config.token_endpoint_auth_method === "none") return client.None();
  return config.token_endpoint_auth_method === "client_secret_post"
    ? client.ClientSecretPost(secret)
    : client.ClientSecretBasic(secret);
}

const appleSecrets = new LRUCache<string, { jwt: string; usableUntil: Date }>({ max: 1000 });

/** Sign in with Apple, "Creating a client secret": a JWT of the team, for the services id. Used until half of its time. */
async function appleSecret(deps: Deps, connection: OidcConnection, privateKey: string): Promise<string> {
  const now = deps.clock.now();
  const cacheKey = `${connection.id}/${connection.updatedAt.getTime()}`;
  const known = appleSecrets.get(cacheKey);
  if (known && known.usableUntil > now) return known.jwt;
  const { client_id: sub, issuer: aud, team_id: iss } = connection.config;
  const times = { iat: seconds(now), exp: seconds(now) + APPLE_SECRET_SECONDS };
  const key = signingKey(connection, privateKey);
  const jwt = await signJwt({ iss, sub, aud, ...times }, { typ: "JWT", key });
  appleSecrets.set(cacheKey, { jwt, usableUntil: addSeconds(now, APPLE_SECRET_SECONDS / 2) });
  return jwt;
}

/** RFC 7523 §2.2: one assertion for each request. */
async function privateKeyJwt(
  deps: Deps,
  connection: OidcConnection,
  privateKey: string,
): Promise<ClientAuth> {
  const { client_id: clientId, issuer } = connection.config;
  const now = seconds(deps.clock.now());
  const claims = {
    iss: clientId,
    sub: clientId,
    // The issuer, and nothing else: an assertion for another address of the provider's could be passed on (RFC 7523bis).
    aud: issuer,
    iat: now,
    exp: now + ASSERTION_SECONDS,
    jti: randomSecret(16),
  };
  const assertion = await signJwt(claims, { typ: "JWT", key: signingKey(connection, privateKey) });
  return (_as, _client, body) => {
    body.set("client_id", clientId);
    body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    body.set("client_assertion", assertion);
  };
}

const seconds = (moment: Date) => Math.floor(moment.getTime() / 1000);

const algorithms = { rsa: "RS256", ec: "ES256", ed25519: "EdDSA" } as const;

/** @throws TypeError for a key of another kind */
function signingKey({ config }: OidcConnection, pem: string): SigningKey {
  const key = createPrivateKey(pem);
  const type = key.asymmetricKeyType;
  if (type !== "rsa" && type !== "ec" && type !== "ed25519") throw new TypeError("a key that signs nothing");
  const pkcs8 = key.export({ format: "der", type: "pkcs8" });
  return importSigningKey(config.key_id ?? "", algorithms[type], pkcs8);
}
