import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import * as repo from "./repo.ts";

export type { LiveSessionRow } from "./repo.ts";

/** More than anybody looks through. */
const MOST_SHOWN = 200;

/** Where the user is signed in now, the lately used first. */
export function listSessions(deps: Deps, tenant: Tenant, user: User): Promise<repo.LiveSessionRow[]> {
  const now = deps.clock.now();
  const idleSeconds = tenant.settings.session_idle_timeout;
  const usedAfter = idleSeconds === 0 ? undefined : addSeconds(now, -idleSeconds);
  return repo.findLive(deps.db, user, { now, usedAfter, limit: MOST_SHOWN });
}
