import type { Deps } from "../../deps.ts";
import { isId, newId } from "../../lib/ids.ts";
import { tokenBinding } from "../../protocol/oauth/dpop-binding.ts";
import {
  JWT_BEARER,
  type JwtBearerRequest,
  jwtBearerScope,
  unusableAssertion,
  verifyJwtBearerAssertion,
} from "../../protocol/oauth/grants/jwt-bearer.ts";
import type { TokenResponse } from "../../protocol/oauth/token-response.ts";
import type { Client } from "../clients/service.ts";
import { findForeignKey } from "../remote-documents/client-keys.ts";
import { singleUseConsumption } from "../replay/service.ts";
import type { RequestContext } from "../request-context.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import { issueToUser } from "../tokens/issue.ts";
import {
  findUserByEmail,
  findUserById,
  findUserByIdentifier,
  isUsername,
  type User,
} from "../users/service.ts";
import { findTrustedIssuer, type TrustedIssuer } from "./repo.ts";

/**
 * Exchanges an assertion of an issuer that the tenant trusts for an access token of the user it is about (RFC 7523 §2.1).
 * Nobody signed in here: there is no session, no ID token and no refresh token (RFC 7521 §4.1). The assertion is used up
 * in the transaction that issues.
 * @throws OAuthError invalid_grant, invalid_scope or invalid_dpop_proof
 */
export async function exchangeAssertion(
  deps: Deps,
  input: {
    tenant: Tenant;
    client: Client;
    request: JwtBearerRequest;
    /** Those that the client may have. */
    resources: readonly string[];
    provenJkt: string | undefined;
    context: RequestContext;
  },
): Promise<TokenResponse> {
  const { tenant, client, request, provenJkt, context } = input;
  const now = deps.clock.now();
  const issuer = await findTrustedIssuer(deps.db, tenant.id, request.issuer);
  const key = issuer && (await findForeignKey(deps, issuer, request.jwt.hint));
  const audience = issuerOf(tenant, deps.config.publicUrl);
  const { subject, use } = verifyJwtBearerAssertion(request, key, { audience, now });
  const user = issuer && (await findSubject(deps, tenant, issuer.subjectKind, subject));
  if (!issuer || !user?.enabled) throw unusableAssertion();
  const dpopJkt = tokenBinding({ client, provenJkt });
  const issued = await issueToUser(
    deps,
    {
      tenant,
      client,
      user,
      authentication: { sessionId: null, authTime: now, acr: "", amr: [] },
      familyId: newId("tokenFamily"),
      scope: jwtBearerScope(request.scope, { issuerScopes: issuer.scopes, clientScopes: client.scopes }),
      resources: input.resources,
      dpopJkt: dpopJkt ?? null,
    },
    {
      grantType: JWT_BEARER,
      context,
      consumption: singleUseConsumption(tenant.id, use),
      refreshable: false,
    },
  );
  if (!issued) throw unusableAssertion();
  return issued;
}

/** Whom the issuer means. An address counts for its owner alone: whoever has proven that it is theirs. */
async function findSubject(
  deps: Deps,
  tenant: Tenant,
  kind: TrustedIssuer["subjectKind"],
  subject: string,
): Promise<User | undefined> {
  switch (kind) {
    case "user_id":
      return isId("user", subject) ? findUserById(deps, tenant.id, subject) : undefined;
    case "username":
      return isUsername(subject) ? findUserByIdentifier(deps, tenant.id, subject) : undefined;
    case "email": {
      const user = await findUserByEmail(deps, tenant.id, subject);
      return user?.emailVerified ? user : undefined;
    }
  }
}
