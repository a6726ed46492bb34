/** Clients that have keys of their own, as `openid-client` uses them. */
import * as client from "openid-client";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { Client } from "../../src/domain/clients/service.ts";
import type { TestServer } from "../support/server.ts";
import { type Application, registerApplication } from "./support.ts";

export interface KeyedApplication extends Application {
  readonly privateKey: { readonly key: CryptoKey; readonly kid: string };
}

/**
 * A client that is registered with a key.
 * @param changes what else its record says; by default it authenticates with private_key_jwt
 */
export async function registerKeyedApplication(
  server: TestServer,
  changes: Partial<Client> = {},
): Promise<KeyedApplication> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const kid = Bun.randomUUIDv7();
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
  const {
    tenantId: _,
    id: __,
    secrets: ___,
    ...row
  } = { tokenEndpointAuthMethod: "private_key_jwt", ...changes };
  const app = await registerApplication(server, {
    row: {
      jwks: { keys: [{ ...jwk }] },
      ...JSON.parse(JSON.stringify(row)),
    },
  });
  if (row.tokenEndpointAuthMethod !== "private_key_jwt")
    return { ...app, privateKey: { key: privateKey, kid } };
  const config = await client.discovery(
    new URL(server.url),
    app.registered.client.clientId,
    { id_token_signed_response_alg: "RS256" },
    client.PrivateKeyJwt({ key: privateKey, kid }),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
  return { ...app, config, privateKey: { key: privateKey, kid } };
}
