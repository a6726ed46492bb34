/** What a person has to be told of an application before they let it in. */
import type { ClientMetadata } from "./client-metadata.ts";

export interface ClientIdentity {
  /**
   * Whether an administrator vouches for the application. Otherwise name, logo and links are what somebody wrote about
   * themselves.
   */
  readonly vouchedFor: boolean;
  /** The host that its client_id belongs to: the one thing about such a client that is proven. Null: it has none. */
  readonly host: string | null;
  /** Where the answer goes: a host, or a scheme such as `com.example.app:` for an app on the device. */
  readonly destination: string;
  /**
   * Whether it can only be answered on the user's own machine, where any program may be listening: no name, logo or host
   * tells which one it is.
   */
  readonly onlyLocal: boolean;
}

/**
 * Who asks, as a consent page has to say it (Client ID Metadata Document §8.5; MCP authorization, "Localhost redirect
 * URI risks": the host of the redirect URI is always shown, and a warning where all of them are local).
 */
export function clientIdentity(
  client: Pick<ClientMetadata, "redirectUris"> & { readonly clientId: string; readonly origin: string },
  redirectUri: string,
): ClientIdentity {
  return {
    vouchedFor: isVouchedFor(client),
    host: client.origin === "metadata_document" ? (URL.parse(client.clientId)?.host ?? null) : null,
    destination: destinationOf(redirectUri),
    onlyLocal: client.redirectUris.length > 0 && client.redirectUris.every(isLocal),
  };
}

/** Whether an administrator made the client known, rather than the client itself. */
export function isVouchedFor({ origin }: { readonly origin: string }): boolean {
  return origin === "administrator" || origin === "built_in";
}

function destinationOf(redirectUri: string): string {
  const url = URL.parse(redirectUri);
  return url?.host || (url?.protocol ?? redirectUri);
}

function isLocal(uri: string): boolean {
  const url = URL.parse(uri);
  return url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}
