/** Upstream tokens at rest, and kept fresh. */
import type { Deps } from "../../deps.ts";
import type { Id } from "../../lib/ids.ts";
import { type SealedBox, sealWith, unsealWith } from "../../lib/master-keys.ts";
import type { Connection } from "../connections/model.ts";
import type { UpstreamTokens } from "./identity.ts";

const contextOf = (id: Id<"externalAccount">) => `external-account/${id}`;

/** @returns undefined for a connection that keeps none */
export function sealTokens(
  deps: Deps,
  { config }: Pick<Connection, "config">,
  id: Id<"externalAccount">,
  tokens: UpstreamTokens,
): SealedBox | undefined {
  if (!("keep_tokens" in config) || config.keep_tokens !== true) return undefined;
  return sealOpened(deps, id, tokens);
}

/** Of an account whose tokens are kept. */
export function sealOpened(deps: Deps, id: Id<"externalAccount">, tokens: UpstreamTokens): SealedBox {
  const { accessToken, refreshToken, expiresAt, scope } = tokens;
  const plaintext = JSON.stringify({
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_at: expiresAt?.getTime(),
    scope,
  });
  return sealWith(deps.config.masterKeys, plaintext, contextOf(id));
}

/** @throws MasterKeyError */
export function openTokens(deps: Deps, id: Id<"externalAccount">, sealed: SealedBox): UpstreamTokens {
  const kept: Record<string, unknown> = JSON.parse(
    unsealWith(deps.config.masterKeys, sealed, contextOf(id)).toString("utf8"),
  );
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const expiresAt = kept["expires_at"];
  return {
    accessToken: text(kept["access_token"]) ?? "",
    refreshToken: text(kept["refresh_token"]),
    expiresAt: typeof expiresAt === "number" ? new Date(expiresAt) : undefined,
    scope: text(kept["scope"]),
  };
}
