/**
 * Nonces for DPoP proofs (RFC 9449 §8, §9): without them a proof could be made today for a day to come, by whoever can
 * use a key for a moment. Nothing is stored: a nonce is the MAC of a span of time, which every process can compute.
 */
import type { Deps } from "../../deps.ts";
import { equalInConstantTime, hmacSha256 } from "../../lib/crypto.ts";
import type { Tenant } from "../tenants/service.ts";

/** A nonce is accepted for one to two of these: long enough that clients seldom have to ask for the next one. */
const SPAN_SECONDS = 300;

/** The nonce of this moment. */
export function currentNonce(deps: Deps, tenant: Tenant): string {
  return nonceOf(deps, tenant, spanAt(deps.clock.now()));
}

/** Whether it is the nonce of this span of time or the last. */
export function isFreshNonce(deps: Deps, tenant: Tenant, nonce: string): boolean {
  const span = spanAt(deps.clock.now());
  const presented = Buffer.from(nonce);
  return [span, span - 1].some((each) =>
    equalInConstantTime(presented, Buffer.from(nonceOf(deps, tenant, each))),
  );
}

const spanAt = (now: Date) => Math.floor(now.getTime() / 1000 / SPAN_SECONDS);

/** Half of the MAC, 128 bits: nobody but us can make one, and it travels with every proof. */
const nonceOf = (deps: Deps, tenant: Tenant, span: number) =>
  hmacSha256(deps.secrets.dpopNonces, `${tenant.id}/${span}`).subarray(0, 16).toString("base64url");
