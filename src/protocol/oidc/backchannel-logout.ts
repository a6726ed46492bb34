import { toEpochSeconds } from "../../lib/clock.ts";

/** `typ` of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), which no other JWT of ours has. */
export const LOGOUT_TOKEN_TYP = "logout+jwt";

/** §2.4: two minutes at most. */
export const LOGOUT_TOKEN_LIFETIME_SECONDS = 120;

/** The member of `events` that makes it a logout token. */
export const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";

export interface LogoutTokenInput {
  readonly issuer: string;
  readonly clientId: string;
  /** As the client knows the user. */
  readonly subject: string;
  /** As in the client's ID tokens. */
  readonly sessionId: string;
  readonly issuedAt: Date;
  /** Of this token and no other: also that of a second attempt is a new one, or the client would take it for a replay. */
  readonly jwtId: string;
}

/**
 * Claims of a logout token (§2.4). Both `sub` and `sid` are told: a client may know its sessions by either. There is
 * no `nonce`, so that it cannot be taken for an ID token.
 */
export function logoutTokenClaims(input: LogoutTokenInput): Record<string, unknown> {
  const issuedAt = toEpochSeconds(input.issuedAt);
  return {
    iss: input.issuer,
    sub: input.subject,
    aud: input.clientId,
    iat: issuedAt,
    exp: issuedAt + LOGOUT_TOKEN_LIFETIME_SECONDS,
    jti: input.jwtId,
    sid: input.sessionId,
    events: { [LOGOUT_EVENT]: {} },
  };
}

/** What a client's answer to a logout request means. */
export type LogoutDelivery = "delivered" | "refused" | "try_again";

/**
 * Reads the status of the answer (§2.8). 200 is success, as is 204, which some frameworks make of an empty 200. 400 is
 * the client's own word that the request is invalid or the logout failed: it would say the same again. Everything else
 * comes from something that does not know the protocol (a proxy, a maintenance page), and may go away.
 */
export function logoutDelivery(status: number): LogoutDelivery {
  if (status >= 200 && status < 300) return "delivered";
  return status === 400 ? "refused" : "try_again";
}
