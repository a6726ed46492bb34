import type { Database, Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { matchesHash, parseSecretToken } from "../../lib/secret-token.ts";
import { ANY_AUDIENCE, verifyJwt } from "../../protocol/jose/verify-jwt.ts";
import { ACCESS_TOKEN_TYP } from "../../protocol/oauth/access-token.ts";
import {
  invalidPresentedToken,
  type PresentedToken,
  requireBinding,
} from "../../protocol/oauth/dpop-resource.ts";
import { parseScope } from "../../protocol/oauth/scope.ts";
import { type ClaimsParameter, parseClaimsParameter } from "../../protocol/oidc/claims-parameter.ts";
import { findClient } from "../clients/service.ts";
import { type KeyRing, keyRingOf, keyRingWith } from "../keys/service.ts";
import { mayStillActIn } from "../impersonation/standing.ts";
import { issuerOf, type Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import type { MintedAccessToken } from "./mint.ts";
import * as repo from "./repo.ts";

/** An access token that holds at this moment, in whichever format it was issued. */
export interface LiveAccessToken {
  /** What a JWT says, or would say (RFC 9068 §2.2). */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly jwtId: string;
  readonly expiresAt: Date;
  /** Thumbprint of the key that has to be proven with it (RFC 9449 §6). */
  readonly dpopJkt: string | undefined;
  /** Absent for a client that acts for itself. The user is read anew, so roles and profile are those of now. */
  readonly onBehalfOf:
    | {
        readonly user: User;
        readonly familyId: Id<"tokenFamily">;
        readonly sessionId: Id<"session"> | null;
        /** What the family's authorization request asked for (OpenID Connect Core §5.5). */
        readonly requestedClaims: ClaimsParameter | undefined;
      }
    | undefined;
}

/**
 * Looks an access token up as a resource server does (RFC 9068 §4), and that neither it nor its family was revoked and
 * neither its user nor its client disabled. At most one round trip to the database.
 * @param audience whose token it has to be; ANY_AUDIENCE for introspection
 * @returns undefined for everything that opens nothing
 */
export async function findLiveAccessToken(
  deps: Deps,
  tenant: Tenant,
  token: string,
  audience: string | typeof ANY_AUDIENCE,
): Promise<LiveAccessToken | undefined> {
  const live = await findStoredOrSigned(deps, tenant, token, audience);
  // From the cache: a client that was disabled has no tokens any more.
  if (!live || !(await findClient(deps, tenant.id, live.clientId))) return undefined;
  return (await mayActorAct(deps, tenant, live)) ? live : undefined;
}

/** Who is signed in as a user is so only while they may be. Costs a look at it where a token names an actor at all. */
async function mayActorAct(deps: Deps, tenant: Tenant, { claims, onBehalfOf }: LiveAccessToken) {
  if (claims["act"] === undefined || !onBehalfOf?.sessionId) return true;
  return mayStillActIn(deps, tenant.id, onBehalfOf.sessionId, onBehalfOf.user);
}

async function findStoredOrSigned(
  deps: Deps,
  tenant: Tenant,
  token: string,
  audience: string | typeof ANY_AUDIENCE,
): Promise<LiveAccessToken | undefined> {
  const opaque = parseSecretToken("accessToken", token);
  if (opaque) return findOpaque(deps, tenant, opaque, audience);
  const signed = await verifySigned(deps, tenant, token, audience);
  if (!signed) return undefined;
  const { claims, jti, familyId } = signed;
  const wanted = { tenantId: tenant.id, jti };
  if (familyId === undefined) return (await repo.isRevoked(deps.db, wanted)) ? undefined : liveToken(claims);
  const found = await repo.findLiveFamily(deps.db, { ...wanted, familyId });
  return found && liveToken(claims, found);
}

/** What a JWT of ours says: nothing of whether it, or what it belongs to, was revoked. */
async function verifySigned(
  deps: Deps,
  tenant: Tenant,
  token: string,
  audience: string | typeof ANY_AUDIENCE,
) {
  const verify = (ring: KeyRing) =>
    verifyJwt(token, {
      keyOf: (kid) => ring.verificationKey(kid),
      issuer: issuerOf(tenant, deps.config.publicUrl),
      audience,
      typ: ACCESS_TOKEN_TYP,
      now: deps.clock.now(),
      verified: deps.verifiedTokens,
    });
  let verified = verify(await keyRingOf(deps, tenant.id));
  if (!verified.ok && verified.kid !== undefined)
    verified = verify(await keyRingWith(deps, tenant.id, verified.kid));
  if (!verified.ok) return undefined;
  const { claims } = verified;
  const { jti, fam } = claims;
  if (typeof jti !== "string" || (fam !== undefined && !isId("tokenFamily", fam))) return undefined;
  return { claims, jti, familyId: fam };
}

/**
 * The claims of an access token of any audience that holds at this moment, by the same rules as `findLiveAccessToken`. Nothing
 * is read of its user, which is most of what that costs.
 */
export async function findStandingAccessToken(
  deps: Deps,
  tenant: Tenant,
  token: string,
): Promise<Pick<LiveAccessToken, "claims" | "clientId"> | undefined> {
  const opaque = parseSecretToken("accessToken", token);
  const claims = opaque
    ? await standingOpaque(deps, tenant, opaque)
    : await standingSigned(deps, tenant, token);
  const members = claims && membersOf(claims);
  if (!members) return undefined;
  const { clientId } = members;
  // Whether somebody may still act for the user depends on who both are now.
  if (claims["act"] !== undefined) return findLiveAccessToken(deps, tenant, token, ANY_AUDIENCE);
  // From the cache: a client that was disabled has no tokens any more.
  return (await findClient(deps, tenant.id, clientId)) && { claims, clientId };
}

async function standingSigned(deps: Deps, tenant: Tenant, token: string) {
  const signed = await verifySigned(deps, tenant, token, ANY_AUDIENCE);
  if (!signed) return undefined;
  const { claims, jti, familyId } = signed;
  const wanted = { tenantId: tenant.id, jti };
  const stands =
    familyId === undefined
      ? !(await repo.isRevoked(deps.db, wanted))
      : await repo.isStandingFamily(deps.db, { ...wanted, familyId });
  return stands ? claims : undefined;
}

async function standingOpaque(
  deps: Deps,
  tenant: Tenant,
  { id, secret }: { id: Id<"accessToken">; secret: string },
) {
  const wanted = { tenantId: tenant.id, id, now: deps.clock.now() };
  const found = await repo.findStandingOpaque(deps.db, wanted);
  return found && matchesHash(secret, found.hash) ? found.claims : undefined;
}

async function findOpaque(
  deps: Deps,
  tenant: Tenant,
  presented: { id: Id<"accessToken">; secret: string },
  audience: string | typeof ANY_AUDIENCE,
): Promise<LiveAccessToken | undefined> {
  const now = deps.clock.now();
  const found = await repo.findOpaque(deps.db, { tenantId: tenant.id, id: presented.id, now });
  if (!found || !matchesHash(presented.secret, found.token.hash)) return undefined;
  const { claims, familyId } = found.token;
  const audiences = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  if (audience !== ANY_AUDIENCE && !audiences.includes(audience)) return undefined;
  if (familyId === null) return liveToken(claims);
  const { family, user } = found;
  return family && user ? liveToken(claims, { family, user }) : undefined;
}

/** What every access token says of itself; undefined for claims of none. */
function membersOf({ client_id: clientId, jti, exp, cnf }: Readonly<Record<string, unknown>>) {
  if (typeof clientId !== "string" || typeof jti !== "string" || typeof exp !== "number") return undefined;
  const jkt = typeof cnf === "object" && cnf !== null && "jkt" in cnf ? cnf.jkt : undefined;
  // A confirmation that we do not know how to check is none that we may skip (RFC 7800 §3.1).
  if (cnf !== undefined && typeof jkt !== "string") return undefined;
  return { clientId, jwtId: jti, exp, dpopJkt: typeof jkt === "string" ? jkt : undefined };
}

function liveToken(
  claims: Readonly<Record<string, unknown>>,
  owner?: {
    user: User;
    family: { id: Id<"tokenFamily">; sessionId: Id<"session"> | null; claims: string | null };
  },
): LiveAccessToken | undefined {
  const members = membersOf(claims);
  if (!members) return undefined;
  const { scope } = claims;
  return {
    claims,
    clientId: members.clientId,
    jwtId: members.jwtId,
    expiresAt: new Date(members.exp * 1000),
    scope: parseScope(typeof scope === "string" ? scope : undefined),
    dpopJkt: members.dpopJkt,
    onBehalfOf: owner && {
      user: owner.user,
      familyId: owner.family.id,
      sessionId: owner.family.sessionId,
      requestedClaims: parseClaimsParameter(owner.family.claims ?? undefined),
    },
  };
}

export { accessTokenInsert, type AccessTokenRow } from "./repo.ts";

/** Stores what an opaque token is looked up by, outside of a transaction; a JWT needs nothing stored. */
export async function keepLoneAccessToken(db: Database, { record }: MintedAccessToken): Promise<void> {
  if (record) await repo.insertLoneAccessToken(db, record);
}

/** The same in the caller's transaction. */
export async function keepAccessToken(executor: Executor, { record }: MintedAccessToken): Promise<void> {
  if (record) await repo.insertAccessToken(executor, record);
}

/** A valid access token of a user, for this server itself. */
export interface Access {
  readonly user: User;
  readonly clientId: string;
  readonly scope: readonly string[];
  /** How the token was presented. */
  readonly scheme: PresentedToken["scheme"];
  readonly sessionId: Id<"session"> | null;
  readonly familyId: Id<"tokenFamily">;
  readonly requestedClaims: ClaimsParameter | undefined;
  /** Whether somebody else acts for the user (`act`, RFC 8693 §4.1). */
  readonly delegated: boolean;
}

/**
 * The access of a user's token that was issued for this server. A client's own token belongs to no user and opens
 * nothing here.
 * @param presented with its DPoP proof, checked but not yet used up
 * @throws OAuthError invalid_token; also for a bound token without its proof, and for a proof without a bound token
 */
export async function requireUserAccess(
  deps: Deps,
  tenant: Tenant,
  presented: PresentedToken,
): Promise<Access> {
  const issuer = issuerOf(tenant, deps.config.publicUrl);
  const live = await findLiveAccessToken(deps, tenant, presented.accessToken, issuer);
  if (!live?.onBehalfOf) throw invalidPresentedToken(presented);
  requireBinding(presented, live.dpopJkt);
  const { clientId, scope, onBehalfOf, claims } = live;
  const { scheme } = presented;
  return { ...onBehalfOf, clientId, scope, scheme, delegated: claims["act"] !== undefined };
}
