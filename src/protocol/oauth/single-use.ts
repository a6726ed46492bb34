import { sha256 } from "../../lib/crypto.ts";
import { addSeconds } from "../../lib/clock.ts";

/**
 * What a JWT of somebody else leaves behind when it is used, so that it is used once. The caller inserts it, in one
 * statement that does nothing on conflict; when nothing was inserted, it was used before.
 */
export interface SingleUse {
  readonly kind:
    | "client_assertion"
    | "dpop_proof"
    | "request_object"
    | "jwt_bearer"
    | "saml_request"
    | "saml_assertion"
    | "saml_logout_request";
  readonly hash: Buffer;
  /** From when on the JWT would be refused anyway. */
  readonly expiresAt: Date;
}

/**
 * `owner` is whose identifiers they are: two issuers may well choose the same `jti` (RFC 7519 §4.1.7). `acceptedUntil` is
 * a NumericDate.
 */
export function singleUse(
  kind: SingleUse["kind"],
  {
    owner,
    id,
    acceptedUntil,
  }: { readonly owner: string; readonly id: string; readonly acceptedUntil: number },
): SingleUse {
  return {
    kind,
    hash: sha256(JSON.stringify([owner, id])),
    expiresAt: addSeconds(new Date(0), Math.ceil(acceptedUntil) + 1),
  };
}
