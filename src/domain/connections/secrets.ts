/** What a connection keeps secret: JSON, sealed for that connection alone. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { type SealedBox, sealWith, unsealWith } from "../../lib/master-keys.ts";

const contextOf = (id: Id<"connection">) => `connection/${id}`;

/** @returns undefined for no secrets: there is nothing to seal */
export function sealSecrets(
  { config }: Pick<Deps, "config">,
  id: Id<"connection">,
  secrets: Readonly<Record<string, string>>,
): SealedBox | undefined {
  if (Object.keys(secrets).length === 0) return undefined;
  return sealWith(config.masterKeys, JSON.stringify(secrets), contextOf(id));
}

/** @throws MasterKeyError */
export function unsealSecrets(
  { config }: Pick<Deps, "config">,
  id: Id<"connection">,
  sealed: SealedBox | undefined,
): Record<string, string> {
  if (!sealed) return {};
  const opened: unknown = JSON.parse(unsealWith(config.masterKeys, sealed, contextOf(id)).toString("utf8"));
  if (typeof opened !== "object" || opened === null) throw new Error(`the secrets of ${id} are no object`);
  return Object.fromEntries(
    Object.entries(opened).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
