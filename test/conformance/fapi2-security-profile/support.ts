/** A server, a person, and a client as the FAPI 2.0 Security Profile has one, with what the tests of it send. */
import * as client from "openid-client";
import { createHttpBrowser } from "../../support/browser.ts";
import { postForm, startTestServer, type TestServer } from "../../support/server.ts";
import {
  assertionClaims,
  assertionFields,
  dpopProof,
  fetchNonce,
  jwksOf,
  newTestKey,
  signTestJwt,
  type TestKey,
} from "../../support/signed.ts";
import { addUser, fillSignIn, registerApplication, REDIRECT_URI } from "../support.ts";

export interface FapiClient {
  readonly id: string;
  readonly key: TestKey;
  readonly dpopKey: TestKey;
  readonly config: client.Configuration;
  readonly options: client.DPoPOptions;
}

export const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** The parameters of a sound authorization request. */
export const request = {
  response_type: "code",
  redirect_uri: REDIRECT_URI,
  scope: "openid",
  code_challenge: CHALLENGE,
  code_challenge_method: "S256",
  state: "state",
};

export type Fapi = Awaited<ReturnType<typeof startFapi>>;

export async function startFapi() {
  const server = await startTestServer();
  const ada = await addUser(server, "ada");
  const fapi = await registerFapiClient(server);
  const nonce = await fetchNonce(server, fapi.dpopKey);

  /** A sign-in up to its answer, with openid-client. */
  async function authorize(of = fapi, parameters: Record<string, string> = {}) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = await client.buildAuthorizationUrlWithPAR(
      of.config,
      {
        redirect_uri: REDIRECT_URI,
        scope: "openid profile email",
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
        ...parameters,
      },
      of.options,
    );
    const browser = createHttpBrowser(server.url);
    let visit = await browser.open(url);
    if (visit.url.pathname.endsWith("/signin")) visit = await fillSignIn(browser, visit, ada.username);
    const checks: client.AuthorizationCodeGrantChecks = {
      pkceCodeVerifier,
      ...(parameters["state"] ? { expectedState: parameters["state"] } : {}),
      ...(parameters["nonce"] ? { expectedNonce: parameters["nonce"] } : {}),
    };
    const exchange = (by = of) =>
      client.authorizationCodeGrant(by.config, visit.url, checks, undefined, by.options);
    return { url, visit, browser, exchange, pkceCodeVerifier };
  }

  /** A request to an endpoint by raw HTTP, for what the library would never send. */
  async function raw(
    path: string,
    fields: Record<string, string>,
    changes: {
      assertion?: Record<string, unknown>;
      proof?: Record<string, unknown> | null;
      dpopKey?: TestKey;
    } = {},
  ) {
    const url = `${server.url}${path}`;
    const assertion = await signTestJwt(fapi.key, {
      ...assertionClaims(server, fapi.id),
      ...changes.assertion,
    });
    const dpop = await dpopProof(server, changes.dpopKey ?? fapi.dpopKey, {
      url,
      nonce,
      claims: changes.proof ?? {},
    });
    const answer = await postForm(
      url,
      { client_id: fapi.id, ...assertionFields(assertion), ...fields },
      changes.proof === null ? {} : { dpop },
    );
    const { error, ...rest } = await answer.json();
    return { status: answer.status, error, ...rest };
  }

  /** Pushes a sound authorization request, changed. */
  const push = (fields: Record<string, string | undefined> = {}, changes: Parameters<typeof raw>[2] = {}) => {
    const all = Object.entries({ ...request, ...fields });
    return raw(
      "/oauth/par",
      Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
      changes,
    );
  };

  return { server, ada, fapi, nonce, register: () => registerFapiClient(server), authorize, raw, push };
}

/** A client as the profile has it: keys of its own, pushed requests, bound tokens. */
async function registerFapiClient(server: TestServer): Promise<FapiClient> {
  const [key, dpopKey] = [await newTestKey("PS256"), await newTestKey("ES256")];
  const { registered } = await registerApplication(server, {
    tokenEndpointAuthMethod: "private_key_jwt",
    row: {
      jwks: jwksOf(key),
      requirePushedAuthorizationRequests: true,
      dpopBoundAccessTokens: true,
      idTokenSignedResponseAlg: "ES256",
    },
  });
  const id = registered.client.clientId;
  const config = await client.discovery(
    new URL(server.url),
    id,
    { id_token_signed_response_alg: "ES256" },
    client.PrivateKeyJwt({ key: key.pair.privateKey, kid: key.kid }),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
  return { id, key, dpopKey, config, options: { DPoP: client.getDPoPHandle(config, dpopKey.pair) } };
}
