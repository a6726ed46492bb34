/** Codes and links that prove who somebody is: how long they work, and how they follow from their record. */
import type { Deps } from "../../deps.ts";
import { deriveCode, deriveToken, readDerivedToken } from "../../lib/derived-token.ts";
import type { Id } from "../../lib/ids.ts";
import type { FirstFactor } from "../mfa/model.ts";
import type { ProofKind } from "./repo.ts";

/** How long a code or a link works, in seconds. */
export const PROOF_SECONDS = 10 * 60;

/** Wrong codes that one proof forgives. */
export const MOST_ATTEMPTS = 5;

/** What is sent to one person within the life of a proof; whoever asks for more only floods a mailbox. */
export const MOST_SENT = 5;

type Keys = Pick<Deps, "secrets">;

/** The six digits that are mailed or texted. */
export function codeOf({ secrets }: Keys, kind: ProofKind, id: Id<"proof">): string {
  return deriveCode(secrets.codes, kind, id);
}

export function linkTokenOf({ secrets }: Keys, id: Id<"proof">): string {
  return deriveToken(secrets.links, "magic_link", id);
}

export function readLinkToken({ secrets }: Keys, token: string): Id<"proof"> | undefined {
  return readDerivedToken(secrets.links, "magic_link", "proof", token);
}

/**
 * Two digits that the browser which asked shows, and the page that a link opens shows too: whoever confirms on another
 * device sees whether it is their own browser that they sign in.
 */
export function checkNumberOf({ secrets }: Keys, id: Id<"proof">): string {
  return deriveCode(secrets.codes, "check_number", id).slice(0, 2);
}

/** RFC 8176 has no value for mail; a code or a link that works once is `otp`. */
const amrOf: Record<ProofKind, readonly string[]> = {
  email_code: ["otp"],
  magic_link: ["otp"],
  sms_code: ["otp", "sms"],
};

export const firstFactorOf = (kind: ProofKind): FirstFactor => ({ method: kind, amr: amrOf[kind] });
