/**
 * better-auth with its OAuth provider plugin, on Bun and PostgreSQL (DATABASE_URL), set up for the cases that it has. The
 * argument is the algorithm that it signs with. Prints what to send it as one line of JSON.
 */
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { jwt } from "better-auth/plugins";
import { Pool } from "pg";
import { form, ready } from "./support.js";

const REDIRECT_URI = "https://app.example.com/callback";
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const RESOURCE = "https://api.example.com";
const alg = process.argv[2];

let handler = async () => new Response(null, { status: 503 });
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => handler(request) });
const url = server.url.origin;
const options = {
  baseURL: url,
  secret: "a secret of better-auth that is long enough for it",
  database: new Pool({ connectionString: process.env.DATABASE_URL, max: 16 }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  disabledPaths: ["/token"],
  logger: { level: "error" },
  plugins: [
    jwt({ jwks: { keyPairConfig: { alg } } }),
    oauthProvider({
      loginPage: "/sign-in",
      consentPage: "/consent",
      scopes: ["openid", "profile", "email", "offline_access", "api"],
      resources: [RESOURCE],
      clientPrivileges: () => true,
      enforcePerClientResources: false,
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
handler = auth.handler;

const json = { "content-type": "application/json", origin: url };
const signUp = await fetch(`${url}/api/auth/sign-up/email`, {
  method: "POST",
  headers: json,
  body: JSON.stringify({ email: "ada@example.com", name: "Ada Lovelace", password: "C0rrect-Horse!" }),
});
const cookie = signUp.headers
  .getSetCookie()
  .map((line) => line.split(";")[0])
  .join("; ");
const register = (body) =>
  auth.api.adminCreateOAuthClient({
    headers: new Headers({ cookie }),
    body: { token_endpoint_auth_method: "client_secret_post", ...body },
  });
const machine = await register({
  grant_types: ["client_credentials"],
  scope: "api",
  client_credentials_scopes: ["api"],
});
const app = await register({
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: [REDIRECT_URI],
  scope: "openid profile email offline_access",
  skip_consent: true,
});

const post = (path, { client_id, client_secret }, fields) => ({
  method: "POST",
  path: `/api/auth${path}`,
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: form({ ...fields, client_id, client_secret }),
});
const get = (path, headers = {}) => ({ method: "GET", path: `/api/auth${path}`, headers });
const credentials = (fields) =>
  post("/oauth2/token", machine, { grant_type: "client_credentials", scope: "api", ...fields });
const authorize = get(
  `/oauth2/authorize?${form({
    client_id: app.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid profile email offline_access",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    state: "state",
  })}`,
  { cookie },
);
const exchange = post("/oauth2/token", app, {
  grant_type: "authorization_code",
  redirect_uri: REDIRECT_URI,
  code_verifier: VERIFIER,
  code: "CODE",
});

async function send({ path, ...request }) {
  const response = await fetch(url + path, { redirect: "manual", ...request });
  const location = response.headers.get("location");
  if (location) return new URL(location, url);
  const body = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
  return body;
}

const answer = await send(authorize);
const tokens = await send({
  ...exchange,
  body: exchange.body.replace("CODE", encodeURIComponent(answer.searchParams.get("code"))),
});
const signed = await send(credentials({ resource: RESOURCE }));
const opaque = await send(credentials({}));
ready({
  url,
  requests: {
    [`token-${alg.toLowerCase()}`]: credentials({ resource: RESOURCE }),
    "token-opaque": credentials({}),
    "introspect-jwt": post("/oauth2/introspect", machine, { token: signed.access_token }),
    "introspect-opaque": post("/oauth2/introspect", machine, { token: opaque.access_token }),
    userinfo: get("/oauth2/userinfo", { authorization: `Bearer ${tokens.access_token}` }),
    discovery: get("/.well-known/openid-configuration"),
    jwks: get("/jwks"),
    session: get("/get-session", { cookie }),
    login: {
      method: "POST",
      path: "/api/auth/sign-in/email",
      headers: json,
      body: JSON.stringify({ email: "ada@example.com", password: "C0rrect-Horse!" }),
    },
  },
  code: { authorize, exchange },
  refresh: post("/oauth2/token", app, { grant_type: "refresh_token", refresh_token: "TOKEN" }),
});
