/** What is written down of a sign-in that is complete. */
import type { Executor } from "../../../db/client.ts";
import { enqueue } from "../../../queue/outbox.ts";
import * as audit from "../../audit/service.ts";
import type { RequestContext } from "../../request-context.ts";
import type { SessionRecord, StartedSession } from "../../sessions/service.ts";
import type { FamilyRecord } from "../../tokens/families.ts";
import type { User } from "../../users/service.ts";
import { deletionCancelledOnSignIn } from "../deletion.ts";
import { insertSignIn } from "./repo.ts";

export { hasSignedInFrom } from "./repo.ts";

export interface SignedIn {
  readonly user: User;
  /** For the audit trail: by which methods, in their order. */
  readonly methods: readonly string[];
  readonly context: RequestContext;
}

/**
 * Session and tokens, audit row, last sign-in.
 * @returns whether the user had signed in with this browser before, or never at all
 */
export async function recordSignIn(
  executor: Executor,
  { user, methods, context }: SignedIn,
  session: { started: StartedSession; row?: SessionRecord; tokens?: FamilyRecord },
): Promise<boolean> {
  const { started, row, tokens } = session;
  const { tenantId, id: userId } = user;
  const now = started.authTime;
  return insertSignIn(executor, {
    user,
    userAgent: context.userAgent,
    session: row,
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
  });
}

/** Tells the user of a sign-in from a browser that is not known, in its transaction. */
export async function tellOfNewBrowser(
  executor: Executor,
  { user }: Pick<SignedIn, "user">,
  session: StartedSession,
): Promise<void> {
  await enqueue(executor, {
    tenantId: user.tenantId,
    queue: "email",
    name: "new_sign_in",
    payload: { user_id: user.id, session_id: session.id },
    now: session.authTime,
  });
}
