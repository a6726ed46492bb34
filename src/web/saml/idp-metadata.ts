import type { Deps } from "../../deps.ts";
import { idpMetadataOf } from "../../domain/saml-idp/metadata.ts";
import { matchesEtag } from "../../http/etag.ts";
import type { PageRequest } from "../http.ts";
import { requireClient } from "./idp-answers.ts";

/** Our metadata as the application's identity provider (SAML Metadata §4.1.1). @throws AppError 404 */
export async function answerIdpMetadata(deps: Deps, page: PageRequest, id: string): Promise<Response> {
  const client = await requireClient(deps, page, id);
  const { body, etag } = await idpMetadataOf(deps, page.tenant, client);
  const headers = { etag, "cache-control": "public, max-age=3600" };
  if (matchesEtag(page.request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  return new Response(body, {
    headers: {
      ...headers,
      "content-type": "application/samlmetadata+xml",
      "content-disposition": 'inline; filename="metadata.xml"',
      "x-content-type-options": "nosniff",
    },
  });
}
