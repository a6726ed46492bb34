/** What our script puts into a form's field `credential`. */
import { Value } from "@sinclair/typebox/value";
import type { AuthenticationResponseJSON } from "../../domain/passkeys/assertions.ts";
import type { RegistrationResponseJSON } from "../../domain/passkeys/service.ts";
import {
  assertionResponse,
  AuthenticationResponse,
  registrationResponse,
  RegistrationResponse,
} from "../../http/webauthn-models.ts";

/** Longer than any answer that the schemas allow. */
const MOST_CHARACTERS = 64 * 1024;

/** @returns undefined for what no authenticator's answer looks like, such as an empty field */
export function readAssertion(text: string): AuthenticationResponseJSON | undefined {
  const json = readJson(text);
  return Value.Check(AuthenticationResponse, json) ? assertionResponse(json) : undefined;
}

/** @returns undefined for what no authenticator's answer looks like, such as an empty field */
export function readRegistration(text: string): RegistrationResponseJSON | undefined {
  const json = readJson(text);
  return Value.Check(RegistrationResponse, json) ? registrationResponse(json) : undefined;
}

function readJson(text: string): unknown {
  if (text.length > MOST_CHARACTERS) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
