import type { Deps } from "../../deps.ts";
import type { FieldError } from "../../lib/errors.ts";
import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";

/**
 * Whether the document at `sector_identifier_uri` lists every redirect URI of the client: only then may it share its
 * users' pairwise subjects with the others in that list (OpenID Connect Core §8.1, Registration §5).
 * @returns what is wrong, the same for every way in which the document could not be had
 */
export async function checkSectorIdentifier(deps: Deps, metadata: ClientMetadata): Promise<FieldError[]> {
  const { sectorIdentifierUri, redirectUris } = metadata;
  if (sectorIdentifierUri === null) return [];
  const listed = await fetchList(deps, sectorIdentifierUri);
  if (redirectUris.every((uri) => listed?.includes(uri))) return [];
  return [
    {
      field: "sector_identifier_uri",
      message: listed
        ? "Its document does not list every one of the redirect_uris."
        : "There is no JSON list at this address.",
    },
  ];
}

async function fetchList(deps: Deps, uri: string): Promise<unknown[] | undefined> {
  try {
    const { status, body } = await deps.outbound.request(uri, { accept: "application/json" });
    const list: unknown = status === 200 ? JSON.parse(new TextDecoder().decode(body)) : undefined;
    return Array.isArray(list) ? list : undefined;
  } catch (err) {
    deps.log.info({ err }, "a sector identifier's document could not be read");
    return undefined;
  }
}
