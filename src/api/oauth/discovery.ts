/** Metadata and keys: what clients fetch before anything else, and often. Serialised once a tenant. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { suppliedClaims } from "../../domain/access-tokens/mint.ts";
import { keyRingOf } from "../../domain/keys/service.ts";
import { findTenantById, issuerOf, type Tenant } from "../../domain/tenants/service.ts";
import { DEFAULT_SCOPES } from "../../domain/clients/service.ts";
import { matchesEtag } from "../../http/etag.ts";
import { commonErrors, publicRoute } from "../../http/models.ts";
import { requestScope } from "../../http/scope.ts";
import { sha256 } from "../../lib/crypto.ts";
import { authorizationServerMetadata, openidProviderMetadata } from "../../protocol/oidc/discovery.ts";
import { locales } from "../../lib/locale.ts";
import { JwksResponse, MetadataResponse } from "./models.ts";
import { acceptedAlgorithms } from "../../protocol/jose/foreign-jwt.ts";
import { acrLevels } from "../../protocol/oidc/acr.ts";

interface Document {
  readonly body: string;
  readonly etag: string;
}

export const discoveryRoutes = (deps: Deps) =>
  new Elysia({ name: "oauth-discovery", detail: { tags: ["Discovery"], security: publicRoute } })
    .use(requestScope(deps))
    .get(
      "/.well-known/openid-configuration",
      async ({ tenant, request }) => serve(request, (await metadataOf(deps, tenant)).openid),
      {
        response: { 200: MetadataResponse, ...commonErrors },
        detail: { summary: "OpenID Provider metadata", description: "OpenID Connect Discovery §4" },
      },
    )
    .get(
      "/.well-known/oauth-authorization-server",
      async ({ tenant, request }) => serve(request, (await metadataOf(deps, tenant)).oauth),
      {
        response: { 200: MetadataResponse, ...commonErrors },
        detail: { summary: "Authorization server metadata", description: "RFC 8414" },
      },
    )
    .get(
      "/.well-known/jwks.json",
      async ({ tenant, request }) => serve(request, (await keyRingOf(deps, tenant.id)).jwks),
      {
        response: { 200: JwksResponse, ...commonErrors },
        detail: { summary: "Signing keys", description: "A JWK set (RFC 7517 §5)" },
      },
    );

/** Five minutes: a new key is published long before it signs, so nobody is locked out by an older copy. */
const CACHE_CONTROL = "public, max-age=300";

function serve(request: Request, { body, etag }: Document): Response {
  const headers = { "content-type": "application/json", "cache-control": CACHE_CONTROL, etag };
  return matchesEtag(request.headers.get("if-none-match"), etag)
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}

async function metadataOf(deps: Deps, tenant: Tenant): Promise<{ openid: Document; oauth: Document }> {
  const cache = deps.caches.shared<{ openid: Document; oauth: Document }>("metadata", [
    "tenants",
    "tenant_domains",
    "signing_keys",
  ]);
  const documents = await cache.get(tenant.id, async () => {
    // Read anew: the request's may have changed since, and what is made of it would be kept.
    const current = await findTenantById(deps, tenant.id);
    return current && buildMetadata(deps, current);
  });
  if (!documents) throw new Error("metadata was not built");
  return documents;
}

async function buildMetadata(deps: Deps, tenant: Tenant) {
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const input = {
    issuer,
    endpoints: {
      authorization: `${issuer}/oauth/authorize`,
      token: `${issuer}/oauth/token`,
      userinfo: `${issuer}/oauth/userinfo`,
      jwks: `${issuer}/.well-known/jwks.json`,
      introspection: `${issuer}/oauth/introspect`,
      revocation: `${issuer}/oauth/revoke`,
      endSession: `${issuer}/oauth/logout`,
      pushedAuthorizationRequest: `${issuer}/oauth/par`,
      deviceAuthorization: `${issuer}/oauth/device_authorization`,
      ...(tenant.settings.dynamic_registration === "off" ? {} : { registration: `${issuer}/oauth/register` }),
    },
    scopes: DEFAULT_SCOPES,
    acrValues: [...acrLevels],
    clientAuthenticationMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
    idTokenSigningAlgorithms: (await keyRingOf(deps, tenant.id)).algorithms,
    acceptedSignatures: {
      clientAssertion: acceptedAlgorithms,
      dpopProof: acceptedAlgorithms,
      requestObject: acceptedAlgorithms,
    },
    subjectTypes: ["public", "pairwise"],
    backchannelLogout: true,
    clientIdMetadataDocuments: tenant.settings.client_id_metadata_documents,
    requirePushedAuthorizationRequests: tenant.settings.require_pushed_authorization_requests,
    registration: tenant.settings.self_registration_enabled,
    userClaims: suppliedClaims,
    claimsParameter: true,
    uiLocales: locales,
    documentation: `${deps.config.publicUrl}/docs`,
  };
  return {
    openid: documentOf(openidProviderMetadata(input)),
    oauth: documentOf(authorizationServerMetadata(input)),
  };
}

function documentOf(metadata: Record<string, unknown>): Document {
  const body = JSON.stringify(metadata);
  return { body, etag: `"${sha256(body).toString("base64url").slice(0, 22)}"` };
}
