import { OAuthError } from "../../../lib/errors.ts";
import { type RequestParameters, requireParameter } from "../parameters.ts";

/** RFC 8628 §3.4. */
export const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";

/** What is stored of a device authorization, as far as the decision goes. */
export interface DeviceCodeRecord {
  readonly status: "pending" | "approved" | "denied";
  readonly expiresAt: Date;
  readonly consumedAt: Date | null;
  /** Whether this poll came before the interval was over (§3.5). */
  readonly tooEarly: boolean;
}

/** @throws OAuthError invalid_request when there is no device code */
export function readDeviceCode(parameters: RequestParameters): string {
  return requireParameter(parameters, "device_code");
}

/**
 * What a poll is answered (RFC 8628 §3.5). Returns when tokens may be issued, which the caller does after it consumed the
 * code in one atomic statement. A poll that came too early gets nothing, also when the person has answered meanwhile; a
 * refusal or the end ends the polling, so they are told first.
 * @param record undefined when there is no such device code, or another client holds it
 * @throws OAuthError invalid_grant, expired_token, access_denied, slow_down or authorization_pending
 */
export function decideDeviceCode(record: DeviceCodeRecord | undefined, now: Date): void {
  if (!record || record.consumedAt) throw invalidDeviceCode();
  if (now >= record.expiresAt)
    throw new OAuthError("expired_token", "The device code has expired: begin again.");
  if (record.status === "denied") throw new OAuthError("access_denied", "The request was denied.");
  if (record.tooEarly)
    throw new OAuthError("slow_down", "The device asks too often: wait 5 seconds longer each time.");
  if (record.status === "pending")
    throw new OAuthError("authorization_pending", "Nobody has answered the request yet.");
}

/** The same answer for a code that never was, was used, or is another client's. */
export function invalidDeviceCode(): OAuthError {
  return new OAuthError("invalid_grant", "The device code is invalid or already used.");
}
