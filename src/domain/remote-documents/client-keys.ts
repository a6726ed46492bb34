import type { Deps } from "../../deps.ts";
import {
  type ForeignKey,
  importForeignKeys,
  type KeyHint,
  selectForeignKey,
} from "../../protocol/jose/foreign-keys.ts";

/** Whose keys are registered by value or by address, never both (RFC 7591 §2): a client, or a trusted issuer. */
export interface KeyOwner {
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] } | null;
  readonly jwksUri: string | null;
}

/** Imported once for each set: owners are cached, and so the same set comes again and again. */
const imported = new WeakMap<object, readonly ForeignKey[]>();

/**
 * The owner's key that a JWT's header means. May ask the network: never call it inside a transaction.
 * @returns undefined when it has no such key, or its keys cannot be had
 */
export async function findForeignKey(
  deps: Pick<Deps, "remoteKeys">,
  owner: KeyOwner,
  hint: KeyHint,
): Promise<ForeignKey | undefined> {
  if (owner.jwks) return selectForeignKey(keysOf(owner.jwks), hint);
  if (owner.jwksUri === null) return undefined;
  return deps.remoteKeys.find(owner.jwksUri, (keys) => selectForeignKey(keys, hint));
}

function keysOf(jwks: NonNullable<KeyOwner["jwks"]>): readonly ForeignKey[] {
  const known = imported.get(jwks);
  if (known) return known;
  const keys = importForeignKeys(jwks);
  imported.set(jwks, keys);
  return keys;
}
