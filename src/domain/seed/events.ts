/** Invented events of invented people's sign-ins, as the services write them. */
import { idFromUuid } from "../../lib/ids.ts";
import { pick, randomOf } from "./people.ts";
import type { EventRow } from "./repo.ts";

const userAgents = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
];

/** The parts of an event that depend on its type, for a user with this id. */
type Kind = (
  userId: string,
  uuid: string,
) => Pick<EventRow, "type" | "actorType" | "actorId" | "targetType" | "targetId" | "details">;

const signIn: Kind = (userId, uuid) => ({
  type: "user.login",
  actorType: "user",
  actorId: userId,
  targetType: "session",
  targetId: idFromUuid("session", uuid),
  details: '{"acr":"urn:gatewright:acr:1fa","method":"password"}',
});
const failedSignIn: Kind = (userId) => ({
  type: "user.login_failed",
  actorType: "anonymous",
  actorId: null,
  targetType: "user",
  targetId: userId,
  details: '{"method":"password","reason":"wrong_password"}',
});
const signOut: Kind = (userId, uuid) => ({ ...signIn(userId, uuid), type: "user.logout", details: "{}" });
const change: Kind = (userId) => ({
  type: "user.updated",
  actorType: "user",
  actorId: userId,
  targetType: "user",
  targetId: userId,
  details: '{"members":["zoneinfo"]}',
});
const newPassword: Kind = (userId) => ({ ...change(userId, ""), type: "password.changed", details: "{}" });

/** Of a thousand events so many are of each kind. */
const shares: readonly (readonly [Kind, number])[] = [
  [signIn, 0.62],
  [signOut, 0.22],
  [failedSignIn, 0.1],
  [change, 0.055],
  [newPassword, 0.005],
];

/** @param userIds of whom the event tells: of one among them */
export function eventOf(number: number, at: Date, userIds: readonly string[]): EventRow {
  const random = randomOf(number);
  const uuid = Bun.randomUUIDv7("hex", at);
  const userId = pick(userIds, random());
  return {
    createdAt: at.toISOString(),
    id: uuid,
    ...kindOf(random())(userId, uuid),
    // Addresses for documentation (RFC 5737).
    ip: `${pick(["192.0.2", "198.51.100", "203.0.113"], random())}.${1 + Math.floor(random() * 254)}`,
    userAgent: pick(userAgents, random()),
    requestId: idFromUuid("request", uuid),
  };
}

function kindOf(share: number): Kind {
  let passed = 0;
  for (const [kind, size] of shares) {
    passed += size;
    if (share < passed) return kind;
  }
  return signIn;
}
