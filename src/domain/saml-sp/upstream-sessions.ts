/** Which session of an identity provider a session of ours began with. */
import type { Deps } from "../../deps.ts";
import { addSeconds } from "../../lib/clock.ts";
import { sha256 } from "../../lib/crypto.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { NameId } from "../../protocol/saml/message.ts";
import type { SamlConnection } from "../connections/service.ts";
import type { KeptAnswer } from "./answers.ts";
import * as repo from "./repo.ts";

/** As long as the longest session of ours. */
const LONGEST_SECONDS = 90 * 86_400;

export const nameIdHash = ({ value }: Pick<NameId, "value">): Buffer => sha256(value);

/** @param sessionId undefined while a second factor is still to be shown */
export async function noteUpstreamSession(
  deps: Deps,
  connection: SamlConnection,
  { nameId, sessionIndex, identity }: KeptAnswer,
  sessionId: Id<"session"> | undefined,
): Promise<void> {
  const { tenantId, id: connectionId } = connection;
  const userId = await repo.findLinkedUser(deps.db, { tenantId, connectionId, subject: identity.subject });
  // Unlinked in the same moment: then there is nothing to end.
  if (!userId) return;
  const now = deps.clock.now();
  await repo.insertUpstreamSession(deps.db, {
    tenantId,
    id: newId("upstreamSession"),
    connectionId,
    userId,
    sessionId: sessionId ?? null,
    nameIdHash: nameIdHash(nameId),
    nameId,
    sessionIndex: sessionIndex ?? null,
    createdAt: now,
    expiresAt: addSeconds(now, LONGEST_SECONDS),
  });
}
