/** oidc-provider (npm) with its in-memory adapter, set up for the cases that it has. Prints what to send it as one line of JSON. */
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";
import { createJar, form, listening, ready } from "./support.js";

const REDIRECT_URI = "https://app.example.com/callback";
const SECRET = "a-client-secret-of-some-length-0123456789";
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const client = {
  client_secret: SECRET,
  token_endpoint_auth_method: "client_secret_basic",
  id_token_signed_response_alg: "RS256",
};
const provider = new Provider("http://127.0.0.1", {
  jwks: {
    keys: [
      { ...rsa, use: "sig", alg: "RS256" },
      { ...ec, use: "sig", alg: "ES256" },
    ],
  },
  clients: [
    {
      ...client,
      client_id: "machine",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
    {
      ...client,
      client_id: "app",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [REDIRECT_URI],
      response_types: ["code"],
    },
  ],
  cookies: { keys: ["a key to sign cookies with"] },
  scopes: ["openid", "offline_access", "profile", "email"],
  claims: { openid: ["sub"], profile: ["given_name", "family_name"], email: ["email", "email_verified"] },
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      given_name: "Ada",
      family_name: "Lovelace",
      email: "ada@example.com",
      email_verified: true,
    }),
  }),
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  pkce: { required: () => true },
  ttl: { RefreshToken: 86_400, Session: 86_400, Grant: 86_400 },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: (_context, resource) => ({
        scope: "",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: resource.endsWith("es256") ? "ES256" : "RS256" } },
      }),
    },
  },
});

const { url } = await listening(provider.callback());

const authorization = (id) => `Basic ${Buffer.from(`${id}:${SECRET}`).toString("base64")}`;
const post = (path, id, fields) => ({
  method: "POST",
  path,
  headers: { authorization: authorization(id), "content-type": "application/x-www-form-urlencoded" },
  body: form(fields),
});
const credentials = (fields) => post("/token", "machine", { grant_type: "client_credentials", ...fields });
const authorize = (scope) =>
  `/auth?${form({
    client_id: "app",
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope,
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    state: "state",
  })}`;
const exchange = post("/token", "app", {
  grant_type: "authorization_code",
  redirect_uri: REDIRECT_URI,
  code_verifier: VERIFIER,
  code: "CODE",
});

/** Goes through the provider's own development pages: the sign-in, then the consent. */
async function signIn() {
  const jar = createJar(url);
  let page = await jar.follow(authorize("openid profile email"));
  for (const fields of [{ prompt: "login", login: "ada", password: "x" }, { prompt: "consent" }]) {
    page = await jar.follow(page.pathname, form(fields));
  }
  const answer = await fetch(url + exchange.path, {
    ...exchange,
    body: exchange.body.replace("CODE", page.searchParams.get("code")),
  });
  return { tokens: await answer.json(), cookie: jar.header() };
}

/** It keeps the latest thousand things that it issued, so that what it was asked for before may be gone. */
async function announce() {
  const { tokens, cookie } = await signIn();
  const machineToken = await (await fetch(url + "/token", credentials({}))).json();
  ready({
    url,
    requests: {
      "token-es256": credentials({ resource: "urn:api:es256" }),
      "token-rs256": credentials({ resource: "urn:api:rs256" }),
      "token-opaque": credentials({}),
      // It introspects the tokens that it keeps: those that are no JWT.
      "introspect-jwt": post("/token/introspection", "app", { token: tokens.access_token }),
      "introspect-opaque": post("/token/introspection", "app", { token: machineToken.access_token }),
      userinfo: { method: "GET", path: "/me", headers: { authorization: `Bearer ${tokens.access_token}` } },
      discovery: { method: "GET", path: "/.well-known/openid-configuration", headers: {} },
      jwks: { method: "GET", path: "/jwks", headers: {} },
    },
    code: {
      authorize: { method: "GET", path: authorize("openid profile email"), headers: { cookie } },
      exchange,
    },
    refresh: post("/token", "app", { grant_type: "refresh_token", refresh_token: "TOKEN" }),
  });
}

process.on("SIGUSR2", () => void announce());
await announce();
