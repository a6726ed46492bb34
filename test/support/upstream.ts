/**
 * An upstream provider of a test's own: OpenID Connect, OAuth 2.0 with an API like GitHub's, and form_post like Apple's. Whoever
 * comes is signed in at once as `person`. What it answers can be bent in every place that a real one never would.
 */
import { createPrivateKey, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { freePort } from "./free-port.ts";

export type Claims = Record<string, unknown>;

export interface Upstream {
  /** `http://localhost:<port>`: its issuer. */
  readonly url: string;
  /** Who is signed in there, as claims of their ID token. */
  person: Claims;
  /** What its tokens and answers are made of; tests replace single ones. */
  behaviour: Behaviour;
  /** What it was asked, the latest last. */
  readonly requests: { path: string; query: URLSearchParams; body: URLSearchParams; headers: Headers }[];
  /** The public half of the key that it publishes, in PEM. */
  readonly publicKeyPem: string;
  /** A JWT, signed as it signs them. */
  sign(claims: Claims, header?: Claims, key?: KeyObject): string;
  requestsTo(path: string): Upstream["requests"];
  stop(): Promise<void>;
}

export interface Behaviour {
  /** The whole metadata, from what it would be. */
  metadata: (metadata: Claims) => Claims;
  /** Claims of the ID token, from what they would be. */
  idToken: (claims: Claims) => Claims;
  /** The ID token itself, from its claims. */
  signed: (claims: Claims) => string;
  /** The token endpoint's answer, from what it would be. */
  tokens: (answer: Claims) => Claims | Response;
  userinfo: (claims: Claims) => unknown;
  /** The answer to an authorization request, from what it would be. */
  answer: (parameters: Record<string, string>) => Record<string, string>;
  emails: () => unknown;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** As it is, where a test writes the body itself. */
const asResponse = (told: unknown) => (told instanceof Response ? told : Response.json(told));

/**
 * @param now the test's clock: tokens are of its time
 * @param at by what name it is known, and at which address it listens
 */
export function startUpstream(
  now: () => Date,
  at: { name: string; address: string } = { name: "localhost", address: "localhost" },
): Upstream {
  const port = freePort();
  const url = `http://${at.name}:${port}`;
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const privateKey = createPrivateKey(pair.privateKey.export({ format: "pem", type: "pkcs8" }));
  const codes = new Map<string, URLSearchParams>();
  let counter = 0;

  const sign = (claims: Claims, header: Claims = {}, key: KeyObject = privateKey) => {
    const input = `${encode({ alg: "RS256", kid: "up-1", typ: "JWT", ...header })}.${encode(claims)}`;
    const digest = header["alg"] === "RS512" ? "RSA-SHA512" : "RSA-SHA256";
    return `${input}.${createSign(digest).update(input).sign(key).toString("base64url")}`;
  };

  const upstream: Upstream = {
    url,
    person: { sub: "up-ada", email: "ada@up.example", email_verified: true, given_name: "Ada" },
    behaviour: {
      metadata: (metadata) => metadata,
      idToken: (claims) => claims,
      signed: (claims) => sign(claims),
      tokens: (answer) => answer,
      userinfo: (claims) => claims,
      answer: (parameters) => parameters,
      emails: () => [],
    },
    requests: [],
    publicKeyPem: pair.publicKey.export({ format: "pem", type: "spki" }).toString(),
    sign,
    requestsTo: (path) => upstream.requests.filter((request) => request.path === path),
    stop: () => server.stop(true),
  };

  const metadata = () => ({
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    userinfo_endpoint: `${url}/userinfo`,
    jwks_uri: `${url}/jwks`,
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: ["RS256"],
  });

  function authorize(query: URLSearchParams): Response {
    counter += 1;
    const code = `code-${counter}`;
    codes.set(code, query);
    const answer = { code, state: query.get("state") ?? "", iss: url };
    const parameters = upstream.behaviour.answer(answer);
    const redirectUri = query.get("redirect_uri") ?? "";
    if (query.get("response_mode") === "form_post") {
      const fields = Object.entries(parameters).map(
        ([name, value]) => `<input type="hidden" name="${name}" value="${Bun.escapeHTML(value)}">`,
      );
      const html = `<form method="post" action="${redirectUri}">${fields.join("")}<button>Go on</button></form>`;
      return new Response(html, { headers: { "content-type": "text/html" } });
    }
    const to = new URL(redirectUri);
    for (const [name, value] of Object.entries(parameters)) to.searchParams.set(name, value);
    return Response.redirect(to.href, 302);
  }

  function token(body: URLSearchParams): Response {
    const isRefresh = body.get("grant_type") === "refresh_token";
    const request = codes.get(body.get("code") ?? "");
    if (!request && !isRefresh) return Response.json({ error: "invalid_grant" }, { status: 400 });
    codes.delete(body.get("code") ?? "");
    counter += 1;
    const iat = Math.floor(now().getTime() / 1000);
    const nonce = request?.get("nonce");
    const claims = upstream.behaviour.idToken({
      ...upstream.person,
      iss: url,
      aud: request?.get("client_id") ?? "us",
      iat,
      exp: iat + 300,
      ...(nonce ? { nonce } : {}),
    });
    const asked = (request?.get("scope") ?? "").split(" ");
    const answer = upstream.behaviour.tokens({
      access_token: `at-${counter}`,
      refresh_token: `rt-${counter}`,
      token_type: "Bearer",
      expires_in: 3600,
      ...(asked.includes("openid") ? { id_token: upstream.behaviour.signed(claims) } : {}),
    });
    return answer instanceof Response ? answer : Response.json(answer);
  }

  const server = Bun.serve({
    port,
    hostname: at.address,
    async fetch(request) {
      const { pathname: path, searchParams: query } = new URL(request.url);
      const body = new URLSearchParams(request.method === "POST" ? await request.text() : "");
      upstream.requests.push({ path, query, body, headers: request.headers });
      switch (path) {
        case "/.well-known/openid-configuration":
          return Response.json(upstream.behaviour.metadata(metadata()));
        case "/authorize":
          return authorize(query);
        case "/token":
          return token(body);
        case "/jwks":
          return Response.json({
            keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "up-1", use: "sig" }],
          });
        case "/userinfo":
          return asResponse(upstream.behaviour.userinfo(upstream.person));
        case "/user/emails":
          return Response.json(upstream.behaviour.emails());
        default:
          return new Response("nothing here", { status: 404 });
      }
    },
  });
  return upstream;
}
