import { randomInt } from "node:crypto";
import type { Connection } from "../connections/model.ts";
import { isUsername } from "../users/service.ts";
import type { UpstreamIdentity } from "./identity.ts";

/** Room for what makes a taken name another one. */
const MOST = 100;

/**
 * A username out of what a connection said: as it calls the person, else what is before the `@`, else their name. Two
 * people may come to the same one.
 */
export function usernameFor(connection: Pick<Connection, "key">, identity: UpstreamIdentity): string {
  const { username, email, givenName, familyName } = identity;
  const candidates = [
    username?.split("@")[0],
    email?.split("@")[0],
    [givenName, familyName].filter(Boolean).join("."),
  ];
  const names = candidates.map((candidate) => usernameFrom(candidate ?? ""));
  return names.find(isUsername) ?? another(`${usernameFrom(connection.key)}-user`);
}

/** The same name with five digits: for one that is taken. Drawn at random, so that it counts nobody. */
export function another(username: string): string {
  return `${username}-${randomInt(10_000, 100_000)}`;
}

function usernameFrom(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "")
    .slice(0, MOST);
}
