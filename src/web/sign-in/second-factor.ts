/** What the pages share on which a second factor is proved: after the first one, and again within a session. */
import type { Deps } from "../../deps.ts";
import { type FactorProver, codeProver } from "../../domain/mfa/second-factor.ts";
import type { SecondFactorMethod } from "../../domain/mfa/model.ts";
import { type AssertionPurpose, passkeyProver } from "../../domain/passkeys/assertions.ts";
import { secondsToResend, sentCodeProver } from "../../domain/proofs/second-factor.ts";
import { sendSecondFactorCode } from "../../domain/proofs/service.ts";
import type { User } from "../../domain/users/service.ts";
import { AppError } from "../../lib/errors.ts";
import type { FormFields, PageRequest } from "../http.ts";
import type { ProofChoice, SecondFactorNotice, SecondFactorProblem } from "../pages/second-factor.tsx";
import { readAssertion } from "./passkey-answer.ts";

/** What a page has to say beside what it asks for. */
export interface ProofMessage {
  readonly problem?: SecondFactorProblem;
  readonly notice?: SecondFactorNotice;
}

export type SentMethod = Extract<SecondFactorMethod, "email_code" | "sms_code">;

export const isSent = (method: ProofChoice): method is SentMethod =>
  method === "email_code" || method === "sms_code";

/** Methods that cannot work on this installation are not offered. */
export function offered<Method extends ProofChoice>(deps: Deps, methods: readonly Method[]): Method[] {
  return methods.filter((method) => method !== "sms_code" || deps.config.sms.driver !== "off");
}

/** The method that a page or form names, if it is one of these; else the first of them. */
export function chosenMethod<Method extends ProofChoice>(
  methods: readonly Method[],
  name: string | null,
): Method | undefined {
  return methods.find((method) => method === name) ?? methods[0];
}

/**
 * What the form brought as a proof.
 * @param purpose what a passkey's answer has to be made for
 * @returns undefined when it brought none: no passkey was used
 */
export function readProver(
  method: SecondFactorMethod,
  field: FormFields,
  page: PageRequest,
): ((purpose: AssertionPurpose) => FactorProver) | undefined {
  const code = field("code").slice(0, 64);
  switch (method) {
    case "webauthn": {
      const response = readAssertion(field("credential"));
      return response && ((purpose) => passkeyProver(response, purpose, page.context));
    }
    case "email_code":
    case "sms_code":
      return () => sentCodeProver(method, code);
    case "totp":
    case "backup_code":
      return () => codeProver(code);
  }
}

/** Sends a code, unless one was sent just now. */
export async function sendCode(
  deps: Deps,
  page: PageRequest,
  user: User,
  method: SentMethod,
): Promise<ProofMessage> {
  const waitSeconds = await secondsToResend(deps, user, method);
  if (waitSeconds !== undefined && waitSeconds > 0) return { notice: "wait" };
  const sent = await sendSecondFactorCode(deps, user, method, page.context);
  return sent ? { notice: "sent" } : { problem: "no_code" };
}

/** Whether a code was sent that still works, and when another one may be. */
export async function sentState(
  deps: Deps,
  user: User,
  method: ProofChoice,
): Promise<{ waitSeconds: number } | undefined> {
  if (!isSent(method)) return undefined;
  const waitSeconds = await secondsToResend(deps, user, method);
  return waitSeconds === undefined ? undefined : { waitSeconds };
}

/** What of an error is told on the page itself; undefined for an error that ends it. */
export function proofProblem(error: unknown): SecondFactorProblem | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.code === "invalid_code") return "wrong_answer";
  return error.status === 429 ? "too_many_attempts" : undefined;
}
