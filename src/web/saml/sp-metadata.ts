import type { Deps } from "../../deps.ts";
import { findSamlConnection } from "../../domain/saml-sp/identity-provider.ts";
import { samlSpMetadata } from "../../domain/saml-sp/metadata.ts";
import { notFound } from "../../lib/errors.ts";
import type { PageRequest } from "../http.ts";

/** Our metadata as a service provider of the connection (SAML Metadata §4.1.1). @throws AppError 404 */
export async function answerSpMetadata(deps: Deps, page: PageRequest, id: string): Promise<Response> {
  const connection = await findSamlConnection(deps, page.tenant, id);
  if (!connection) throw notFound();
  return new Response(await samlSpMetadata(deps, page.tenant, connection), {
    headers: {
      "content-type": "application/samlmetadata+xml",
      "content-disposition": 'inline; filename="metadata.xml"',
      "x-content-type-options": "nosniff",
      "cache-control": "public, max-age=300",
    },
  });
}
