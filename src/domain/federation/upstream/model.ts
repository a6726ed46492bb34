import type { UpstreamIdentity, UpstreamTokens } from "../identity.ts";

/** What an authorization request to an upstream provider says. */
export interface UpstreamRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** What the application asked of us, and we ask of the provider. */
  readonly passedOn: PassedOn;
}

export interface PassedOn {
  readonly loginHint?: string | undefined;
  readonly prompt?: readonly string[] | undefined;
  /** Seconds. */
  readonly maxAge?: number | undefined;
  readonly uiLocales?: readonly string[] | undefined;
}

/** What came back from there, for a trip that was this browser's. */
export interface UpstreamResponse {
  readonly parameters: URLSearchParams;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly maxAge?: number | undefined;
}

export interface UpstreamResult {
  readonly identity: UpstreamIdentity;
  readonly tokens: UpstreamTokens;
}
