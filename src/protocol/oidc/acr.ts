/**
 * Authentication context classes (`acr`, OpenID Connect Core §2) and methods (`amr`, RFC 8176): what a sign-in proved, and
 * whether that is as much as somebody asks for.
 */

/** One factor: a password, a mailed code, a passkey that did not verify its user. */
export const ACR_1FA = "urn:gatewright:acr:1fa";
/** Two factors of different kinds, or a passkey that verified its user. */
export const ACR_2FA = "urn:gatewright:acr:2fa";

/** Every class there is, from the weakest to the strongest. */
export const acrLevels: readonly string[] = [ACR_1FA, ACR_2FA];

/** More than one factor was proved (RFC 8176 §2). Its presence is what tells the classes apart. */
const MULTIPLE_FACTORS = "mfa";

export function acrOf(amr: readonly string[]): string {
  return amr.includes(MULTIPLE_FACTORS) ? ACR_2FA : ACR_1FA;
}

/**
 * The methods of a sign-in that proved several things one after the other.
 * @param proofs the methods of each; a single one may already be of more than one factor
 */
export function combineAmr(proofs: readonly (readonly string[])[]): string[] {
  const amr = new Set(proofs.flat());
  if (proofs.length > 1) amr.add(MULTIPLE_FACTORS);
  return [...amr];
}

/**
 * Whether a session of this class is as good as what was asked for. Of several classes any one will do: `acr_values` names
 * them in order of preference (§3.1.2.1). A class that we do not know is one that no session has.
 */
export function satisfiesAcr(acr: string, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const level = acrLevels.indexOf(acr);
  return wanted.some((one) => one === acr || (acrLevels.includes(one) && acrLevels.indexOf(one) <= level));
}

/** What a sensitive action needs: a proof not older than this and, if given, of this class or a stronger one. */
export interface AuthenticationNeed {
  readonly maxAgeSeconds: number;
  readonly acr?: string | undefined;
}

export function satisfiesNeed(
  session: { readonly authTime: Date; readonly acr: string },
  need: AuthenticationNeed,
  now: Date,
): boolean {
  const ageMilliseconds = now.getTime() - session.authTime.getTime();
  return (
    ageMilliseconds <= need.maxAgeSeconds * 1000 && satisfiesAcr(session.acr, need.acr ? [need.acr] : [])
  );
}
