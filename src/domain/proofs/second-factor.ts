/** A mailed or texted code as a second factor. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { FactorProver } from "../mfa/second-factor.ts";
import type { User } from "../users/service.ts";
import { firstFactorOf, MOST_ATTEMPTS } from "./model.ts";
import * as repo from "./repo.ts";
import { isCode, isReachable } from "./service.ts";

/** Of several that were sent, the newest counts. */
export function sentCodeProver(kind: "email_code" | "sms_code", code: string): FactorProver {
  return {
    method: kind,
    async prove(deps, tenant, user) {
      const now = deps.clock.now();
      const of = { tenantId: tenant.id, userId: user.id, kind, purpose: "second_factor" } as const;
      const proof = await repo.findNewestOfUser(deps.db, of, now);
      if (!proof || !(await repo.countAttempt(deps.db, tenant.id, proof.id, MOST_ATTEMPTS, now))) {
        return undefined;
      }
      if (!isCode(deps, proof, code) || !(await isReachable(deps, user, proof))) return undefined;
      return {
        method: kind,
        amr: firstFactorOf(kind).amr,
        redeem: (tx) => repo.consume(tx, tenant.id, proof.id, { approved: false, now }),
      };
    },
  };
}

/** How long a code is given to arrive before another one is sent. */
const RESEND_SECONDS = 30;

/** In how many seconds a person may have another code sent; undefined when none was sent that still works. */
export async function secondsToResend(
  deps: Deps,
  user: User,
  kind: "email_code" | "sms_code",
): Promise<number | undefined> {
  const now = deps.clock.now();
  const of = { tenantId: user.tenantId, userId: user.id, kind, purpose: "second_factor" } as const;
  const newest = await repo.findNewestOfUser(deps.db, of, now);
  if (!newest) return undefined;
  const milliseconds = addSeconds(newest.createdAt, RESEND_SECONDS).getTime() - now.getTime();
  return Math.max(0, Math.ceil(milliseconds / 1000));
}
