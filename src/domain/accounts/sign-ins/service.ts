/** What is written down of a sign-in that is complete. */
import type { Executor } from "../../../db/client.ts";
import * as audit from "../../audit/service.ts";
import type { RequestContext } from "../../request-context.ts";
import type { SessionRecord, StartedSession } from "../../sessions/service.ts";
import type { FamilyRecord } from "../../tokens/families.ts";
import type { User } from "../../users/service.ts";
import { deletionCancelledOnSignIn } from "../deletion.ts";
import { type CheckedPassword, insertSignIn } from "./repo.ts";

export type { CheckedPassword } from "./repo.ts";

export interface SignedIn {
  readonly user: User;
  /** For the audit trail: by which methods, in their order. */
  readonly methods: readonly string[];
  /** Looked at once more, by the same statement, where no transaction holds it. */
  readonly password?: CheckedPassword;
  readonly context: RequestContext;
}

/**
 * Session and tokens, audit row, last sign-in, and a mail about a browser that is not known: all or nothing.
 * @returns false when the password is another one by now, the session to be renewed has ended, or the user is gone or disabled
 */
export async function recordSignIn(
  executor: Executor,
  { user, methods, password, context }: SignedIn,
  session: { started: StartedSession; row: SessionRecord; renewed?: boolean; tokens?: FamilyRecord },
): Promise<boolean> {
  const { started, row, renewed = false, tokens } = session;
  const { tenantId, id: userId } = user;
  const now = started.authTime;
  const record = {
    user,
    userAgent: context.userAgent,
    password,
    session: row,
    renewed,
    tokens,
    event: audit.toRow({
      tenantId,
      type: "user.login",
      actor: { type: "user", id: userId },
      target: { type: "session", id: started.id },
      details: { method: methods.join("+"), acr: started.acr },
      context,
      now,
    }),
    deletionCancelled: audit.toRow(deletionCancelledOnSignIn(user, context, now)),
    now,
  };
  // What writes to the outbox wakes the relay, and few sign-ins are from a browser that is not known.
  const outcome = await insertSignIn(executor, { ...record, notice: undefined });
  if (outcome !== "new_browser") return outcome === "done";
  const payload = { user_id: userId, session_id: started.id };
  const notice = { tenantId, queue: "email", name: "new_sign_in", payload, now } as const;
  return (await insertSignIn(executor, { ...record, notice })) === "done";
}
