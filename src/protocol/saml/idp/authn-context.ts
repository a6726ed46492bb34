/**
 * Authentication contexts (SAML Core §3.3.2.2.1, SAML Authentication Context §3.4): the names that SAML has for what a
 * sign-in proved, and what of it our own classes (`protocol/oidc/acr.ts`) are.
 */
import { ACR_1FA, ACR_2FA, satisfiesAcr } from "../../oidc/acr.ts";

const CLASSES = "urn:oasis:names:tc:SAML:2.0:ac:classes:";

export const PASSWORD_PROTECTED_TRANSPORT = `${CLASSES}PasswordProtectedTransport`;
export const UNSPECIFIED = `${CLASSES}unspecified`;
/** More than one factor, as research and education and many others call it. */
export const REFEDS_MFA = "https://refeds.org/profile/mfa";

/** What each class needs. A stronger sign-in stands for a weaker one: nobody is asked to sign in with less. */
const acrOfClass: ReadonlyMap<string, string> = new Map([
  [UNSPECIFIED, ACR_1FA],
  [`${CLASSES}Password`, ACR_1FA],
  [PASSWORD_PROTECTED_TRANSPORT, ACR_1FA],
  ["https://refeds.org/profile/sfa", ACR_1FA],
  [ACR_1FA, ACR_1FA],
  [`${CLASSES}TimeSyncToken`, ACR_2FA],
  [`${CLASSES}MobileTwoFactorContract`, ACR_2FA],
  [`${CLASSES}MobileTwoFactorUnregistered`, ACR_2FA],
  ["http://schemas.microsoft.com/claims/multipleauthn", ACR_2FA],
  [REFEDS_MFA, ACR_2FA],
  [ACR_2FA, ACR_2FA],
]);

const comparisons = ["exact", "minimum", "maximum", "better"] as const;
export type Comparison = (typeof comparisons)[number];

export const isComparison = (text: string): text is Comparison =>
  comparisons.some((comparison) => comparison === text);

export interface RequestedContext {
  /** In order of preference. */
  readonly classes: readonly string[];
  readonly comparison: Comparison;
}

/**
 * The classes that would do, in order of preference; an empty list where each does.
 * @returns undefined when none that there is here would do
 */
export function acceptableClasses(requested: RequestedContext | undefined): readonly string[] | undefined {
  if (!requested) return [];
  const known = requested.classes.filter((name) => acrOfClass.has(name));
  if (known.length === 0) return undefined;
  if (requested.comparison !== "better") return known;
  return known.some((name) => acrOfClass.get(name) === ACR_2FA) ? undefined : [REFEDS_MFA];
}

interface Proof {
  readonly acr: string;
  readonly amr: readonly string[];
}

/**
 * What the assertion says of a sign-in: the first acceptable class that it reaches or, where any will do, the one that tells
 * most of it.
 * @returns undefined when the person has to prove more
 */
export function contextClassOf({ acr, amr }: Proof, acceptable: readonly string[]): string | undefined {
  if (acceptable.length > 0)
    return acceptable.find((name) => satisfiesAcr(acr, [acrOfClass.get(name) ?? ACR_2FA]));
  if (satisfiesAcr(acr, [ACR_2FA])) return REFEDS_MFA;
  return amr.includes("pwd") ? PASSWORD_PROTECTED_TRANSPORT : UNSPECIFIED;
}
