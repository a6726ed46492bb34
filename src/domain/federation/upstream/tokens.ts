import type { TokenEndpointResponse } from "openid-client";
import type { Deps } from "../../../deps.ts";
import { addSeconds } from "../../../lib/clock.ts";
import type { UpstreamTokens } from "../identity.ts";

export function tokensOf(deps: Deps, answer: TokenEndpointResponse): UpstreamTokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds, scope } = answer;
  const expiresAt = seconds === undefined ? undefined : addSeconds(deps.clock.now(), seconds);
  return { accessToken, refreshToken, expiresAt, scope };
}
