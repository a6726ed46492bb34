import type { Id } from "../../lib/ids.ts";

/** An application that gets tokens from us. */
export interface Client {
  readonly tenantId: Id<"tenant">;
  readonly id: Id<"client">;
  readonly clientId: string;
  readonly name: string;
  readonly logoUri: string | null;
  readonly clientUri: string | null;
  readonly applicationType: "web" | "native";
  readonly tokenEndpointAuthMethod: string;
  readonly grantTypes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly scopes: readonly string[];
  /** Ours, so that nobody is asked for consent. */
  readonly firstParty: boolean;
  readonly idTokenSignedResponseAlg: string;
  readonly accessTokenSigningAlg: string;
  readonly accessTokenLifetimeSeconds: number | null;
  readonly refreshTokenLifetimeSeconds: number | null;
  readonly enabled: boolean;
  readonly secrets: readonly { readonly hash: Buffer; readonly expiresAt: Date | null }[];
}

/** The client to which the native API (`POST /login`) issues its tokens. It may use no OAuth grant. */
export const NATIVE_CLIENT_ID = "native";

/** Scopes that a client may ask for unless it is registered for others. */
export const DEFAULT_SCOPES = ["openid", "profile", "email", "offline_access"] as const;
