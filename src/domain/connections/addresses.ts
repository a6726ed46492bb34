/** What has to be told to the other side of a connection: our own addresses. */
import type { Connection } from "./model.ts";

export interface ConnectionAddresses {
  readonly redirectUri?: string;
  readonly acsUrl?: string;
  readonly entityId?: string;
  readonly metadataUrl?: string;
}

/** @param issuer the tenant's, under which all of them are */
export function addressesOf(
  connection: Pick<Connection, "kind" | "id" | "key">,
  issuer: string,
): ConnectionAddresses {
  switch (connection.kind) {
    case "oidc":
    case "oauth2":
      return { redirectUri: `${issuer}/oauth/social/${connection.key}/callback` };
    case "saml": {
      const metadataUrl = `${issuer}/saml/${connection.id}/metadata`;
      return { acsUrl: `${issuer}/saml/${connection.id}/acs`, entityId: metadataUrl, metadataUrl };
    }
    case "ldap":
      return {};
  }
}
