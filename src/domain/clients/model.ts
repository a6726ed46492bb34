import type { Id } from "../../lib/ids.ts";
import type { ClientMetadata } from "../../protocol/oauth/client-metadata.ts";

/** An application that gets tokens from us. */
export interface Client extends ClientMetadata {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"client">;
  readonly clientId: string;
  /** How it came to be known: made by us, by RFC 7591 or by its metadata document. */
  readonly origin: "built_in" | "administrator" | "dynamic" | "metadata_document";
  /** Of the registration access token (RFC 7592 §3). */
  readonly registrationTokenHash: Buffer | null;
  /** When a client that is known by its metadata document has to be fetched again. */
  readonly metadataExpiresAt: Date | null;
  readonly createdAt: Date;
  /** For a client with a metadata document: when it was last read. */
  readonly updatedAt: Date;
  readonly secrets: readonly { readonly hash: Buffer; readonly expiresAt: Date | null }[];
}

/** The client to which the native API (`POST /login`) issues its tokens. It may use no OAuth grant. */
export const NATIVE_CLIENT_ID = "native";

/** Scopes that a client may ask for unless it is registered for others. */
export const DEFAULT_SCOPES = ["openid", "profile", "email", "offline_access"] as const;
