import { type RequestParameters, requireParameter } from "./parameters.ts";

/** What is asked about, or is to be revoked (RFC 7009 §2.1, RFC 7662 §2.1). */
export interface TokenParameters {
  readonly token: string;
  /** Where to look first. One that we do not know is no error (RFC 7009 §2.1). */
  readonly hint: "access_token" | "refresh_token" | undefined;
}

/** @throws OAuthError invalid_request when there is no token */
export function readTokenParameters(parameters: RequestParameters): TokenParameters {
  const hint = parameters.get("token_type_hint");
  return {
    token: requireParameter(parameters, "token"),
    hint: hint === "access_token" || hint === "refresh_token" ? hint : undefined,
  };
}
