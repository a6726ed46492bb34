/** What a connection said of somebody, whatever language it speaks: the one thing that all of them come to. */
export interface UpstreamIdentity {
  /** What the connection knows the person by and never gives to somebody else: `sub`, a NameID, an entryUUID. */
  readonly subject: string;
  readonly email?: string | undefined;
  /** Whether the connection says that it made sure of the address. Whether it is believed is the connection's setting. */
  readonly emailVerified: boolean;
  readonly username?: string | undefined;
  readonly givenName?: string | undefined;
  readonly familyName?: string | undefined;
  readonly picture?: string | undefined;
  readonly locale?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  /** What its directory provisions the person by (RFC 7643 §3.1), where that is not the subject. */
  readonly externalId?: string | undefined;
  /** All that it said. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** RFC 8176 values: how the person proved there who they are. */
  readonly amr?: readonly string[] | undefined;
}

/** Tokens of an upstream provider, for a connection that is to keep them. */
export interface UpstreamTokens {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly expiresAt?: Date | undefined;
  readonly scope?: string | undefined;
}
