/** What the browser says it asked the authenticator to sign (WebAuthn Level 3 §5.8.1), before any of it is verified. */
export interface ClientData {
  /** The bytes of the challenge, as text: ours are tokens. */
  readonly challenge: string;
  readonly crossOrigin: boolean;
}

/** @returns undefined for anything that no browser sends */
export function readClientData(clientDataJson: string): ClientData | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(clientDataJson, "base64url").toString("utf8"));
    if (typeof parsed !== "object" || parsed === null || !("challenge" in parsed)) return undefined;
    if (typeof parsed.challenge !== "string") return undefined;
    return {
      challenge: Buffer.from(parsed.challenge, "base64url").toString("utf8"),
      crossOrigin: "crossOrigin" in parsed && parsed.crossOrigin !== false,
    };
  } catch {
    return undefined;
  }
}

/** A challenge of ours as the browser repeats it. */
export function encodeChallenge(token: string): string {
  return Buffer.from(token, "utf8").toString("base64url");
}

/** What of a response did not hold. Public text says no more than that it did not; the reason is for the audit trail. */
export class WebAuthnProblem extends Error {
  override readonly name = "WebAuthnProblem";
}
