import { LRUCache } from "lru-cache";
import { sha256 } from "../../lib/crypto.ts";
import type { VerifiedJwt, VerifiedJwts } from "../../protocol/jose/verify-jwt.ts";

export type { VerifiedJwts };

/** Some 2 KB each. */
const REMEMBERED = 2000;

/**
 * The signatures of this process's latest access tokens that held. A resource server shows one token many times, and checking a
 * signature costs more than everything else that is done with it. Nothing about a token is remembered but what it says
 * and the key that says so: expiry, audience and revocation are looked at each time, and a key that was revoked or read
 * anew is another one, whose tokens are not known here.
 */
export function createVerifiedTokens(): VerifiedJwts {
  const tokens = new LRUCache<string, VerifiedJwt>({ max: REMEMBERED });
  const slot = (token: string) => sha256(token).toString("base64");
  return {
    find: (token) => tokens.get(slot(token)),
    keep: (token, verified) => void tokens.set(slot(token), verified),
  };
}
