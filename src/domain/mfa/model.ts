/** The words of strong sign-in, and its rules: who has to prove a second factor, and by what means they may. */
import type { Id } from "../../lib/ids.ts";
import { combineAmr } from "../../protocol/oidc/acr.ts";
import type { User } from "../users/service.ts";

/** Everything that can be a second factor. In the order in which a page offers them. */
export const secondFactorMethods = ["webauthn", "totp", "email_code", "sms_code", "backup_code"] as const;
export type SecondFactorMethod = (typeof secondFactorMethods)[number];

/** What a person sets up themselves. The others come by themselves: with an address, or with the first of these. */
export const enrollableMethods = ["webauthn", "totp"] as const satisfies readonly SecondFactorMethod[];
export type EnrollableMethod = (typeof enrollableMethods)[number];

export function isSecondFactorMethod(text: unknown): text is SecondFactorMethod {
  return secondFactorMethods.some((method) => method === text);
}

export type FirstFactorMethod =
  "password" | "passkey" | "email_code" | "magic_link" | "sms_code" | "external";

export const firstFactorMethods: readonly FirstFactorMethod[] = [
  "password",
  "passkey",
  "email_code",
  "magic_link",
  "sms_code",
  "external",
];

/** How somebody just proved who they are. */
export interface FirstFactor {
  readonly method: FirstFactorMethod;
  /** RFC 8176 values; with `mfa` in them it needs no second factor. */
  readonly amr: readonly string[];
}

/** Where a sign-in leads when it is complete: to tokens for an application, or to a cookie for a browser. */
export type SignInSurface =
  { readonly kind: "native" } | { readonly kind: "browser"; readonly remembered: boolean };

/**
 * A sign-in between its two factors: a challenge of 5 minutes whose token (`chal_…`) is all that its holder has. The token
 * opens nothing: it can be exchanged for a sign-in, once, with a second factor (`verify`) or by setting one up (`enroll`).
 */
export interface PendingLogin {
  readonly id: Id<"challenge">;
  readonly user: User;
  readonly purpose: "verify" | "enroll";
  readonly first: FirstFactor;
  readonly surface: SignInSurface;
  /** The password's `changed_at` when it was checked: a sign-in with a password that was changed since comes to nothing. */
  readonly passwordChangedAt: Date | undefined;
  readonly expiresAt: Date;
}

/** What its holder is told. */
export interface PendingLoginOffer {
  readonly token: string;
  readonly purpose: PendingLogin["purpose"];
  /** For `verify`: by which of them the second factor can be proved. For `enroll`: which can be set up. */
  readonly methods: readonly SecondFactorMethod[];
  readonly expiresAt: Date;
}

export type MfaEnforcement = "off" | "optional" | "required";

/** What a tenant, or an organization within it, asks of sign-ins. */
export interface MfaPolicy {
  readonly enforcement: MfaEnforcement;
  readonly methods: readonly SecondFactorMethod[];
  /** 0: no device is trusted. */
  readonly trustedDeviceDays: number;
}

const enforcements: readonly MfaEnforcement[] = ["off", "optional", "required"];

/** Of a tenant and of the organizations that a sign-in is for: whatever any of them forbids, or asks for, holds. */
export function strictestPolicy(first: MfaPolicy, ...others: readonly MfaPolicy[]): MfaPolicy {
  const all = [first, ...others];
  return {
    enforcement:
      enforcements[Math.max(...all.map(({ enforcement }) => enforcements.indexOf(enforcement)))] ??
      "required",
    methods: first.methods.filter((method) => all.every(({ methods }) => methods.includes(method))),
    trustedDeviceDays: Math.min(...all.map(({ trustedDeviceDays }) => trustedDeviceDays)),
  };
}

export interface SecondFactorInput {
  readonly policy: MfaPolicy;
  readonly first: FirstFactor;
  /** What the user set up, and which methods work for them without it. */
  readonly available: readonly SecondFactorMethod[];
  /** Whether they sign in from a device that they asked to be remembered. */
  readonly trustedDevice: boolean;
}

export type SecondFactorDecision =
  | { readonly kind: "none" }
  | { readonly kind: "verify"; readonly methods: readonly SecondFactorMethod[] }
  | { readonly kind: "enroll"; readonly methods: readonly EnrollableMethod[] }
  /** This first factor alone is not enough, and there is nothing to add to it. */
  | { readonly kind: "refuse" };

/**
 * Decides what is missing after a first factor. A person who set up a factor is asked for one wherever the policy is not
 * `off`; one who did not is asked only where it is `required`, and then sets one up before anything else.
 *
 * A passkey that did not verify its user is in anybody's hand who holds it. Its owner set it up as a second factor, beside
 * a password: it must not take the place of both.
 */
export function decideSecondFactor(input: SecondFactorInput): SecondFactorDecision {
  const { policy, first, trustedDevice } = input;
  if (policy.enforcement === "off" || first.amr.includes("mfa")) return { kind: "none" };
  const usable = usableMethods(input);
  if (first.method === "passkey")
    return usable.length > 0 ? { kind: "verify", methods: usable } : { kind: "refuse" };
  const required = policy.enforcement === "required";
  const asked = required
    ? usable.some((method) => method !== "backup_code")
    : usable.some((method) => isEnrollable(method));
  if (asked) {
    const trusted = trustedDevice && policy.trustedDeviceDays > 0;
    return trusted ? { kind: "none" } : { kind: "verify", methods: usable };
  }
  return required ? { kind: "enroll", methods: methodsToEnroll(policy, first) } : { kind: "none" };
}

/** What this person could prove now, beyond what they have just proved. */
export function usableMethods({
  policy,
  first,
  available,
}: Pick<SecondFactorInput, "policy" | "first" | "available">): SecondFactorMethod[] {
  return secondFactorMethods.filter(
    (method) =>
      available.includes(method) && policy.methods.includes(method) && !isSameFactor(first.method, method),
  );
}

/**
 * What a person could prove beyond a password that a mailed link was enough to set: it proves their mailbox, which a mailed
 * code would prove again. Who has nothing else keeps the code.
 */
export function beyondMailbox(
  available: readonly SecondFactorMethod[],
  policy: MfaPolicy,
): SecondFactorMethod[] {
  const others = available.filter((method) => method !== "email_code");
  const enough = others.some((method) => method !== "backup_code" && policy.methods.includes(method));
  return enough ? others : [...available];
}

/** A second proof of the same thing proves nothing more: whoever reads a mailbox reads every mail in it. */
function isSameFactor(first: FirstFactorMethod, second: SecondFactorMethod): boolean {
  switch (first) {
    case "email_code":
    case "magic_link":
      return second === "email_code";
    case "sms_code":
      return second === "sms_code";
    case "passkey":
      return second === "webauthn";
    case "password":
    case "external":
      return false;
  }
}

/**
 * The `amr` of a session whose user proves something more. What they prove counts as another factor when it is of another
 * kind than the one they signed in by.
 */
export function raisedAmr(
  session: readonly string[],
  proof: { readonly method: SecondFactorMethod | "password"; readonly amr: readonly string[] },
): string[] {
  const repeated =
    proof.method === "password"
      ? session.includes("pwd")
      : isSameFactor(firstMethodOf(session), proof.method);
  return repeated ? [...new Set([...session, ...proof.amr])] : combineAmr([session, proof.amr]);
}

/** How a session began, as its `amr` tells. What is not known is taken for what adds the least. */
function firstMethodOf(amr: readonly string[]): FirstFactorMethod {
  if (amr.includes("pwd")) return "password";
  if (amr.includes("hwk") || amr.includes("swk")) return "passkey";
  return amr.includes("sms") ? "sms_code" : "email_code";
}

/** A policy that asks for a factor and allows none that could be set up would shut everybody out: then any will do. */
function methodsToEnroll(policy: MfaPolicy, first: FirstFactor): readonly EnrollableMethod[] {
  const others = enrollableMethods.filter((method) => !isSameFactor(first.method, method));
  const allowed = others.filter((method) => policy.methods.includes(method));
  return allowed.length > 0 ? allowed : others;
}

export function isEnrollable(method: SecondFactorMethod): method is EnrollableMethod {
  return enrollableMethods.some((one) => one === method);
}
