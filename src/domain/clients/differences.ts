import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";
import { administeredMembers } from "../../protocol/oauth/registration.ts";

/** What changed, before and after: metadata holds no secrets. */
export function differences(before: ClientMetadata, after: ClientMetadata) {
  const [was, is] = [administeredMembers(before), administeredMembers(after)];
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
  const only = (members: Record<string, unknown>) =>
    Object.fromEntries(changed.map((name) => [name, members[name] ?? null]));
  return { before: only(was), after: only(is) };
}

/**
 * Whether a client that describes itself now says that it is called, or answers people, otherwise than when they agreed
 * (Client ID Metadata Document §8.4): what they agreed to was another application, as far as they can tell.
 */
export function looksLikeAnother({ after }: ReturnType<typeof differences>): boolean {
  return ["client_name", "redirect_uris"].some((name) => name in after);
}
