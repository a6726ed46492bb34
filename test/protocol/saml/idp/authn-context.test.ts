import { describe, expect, it } from "bun:test";
import { ACR_1FA, ACR_2FA } from "../../../../src/protocol/oidc/acr.ts";
import {
  acceptableClasses,
  type Comparison,
  contextClassOf,
  PASSWORD_PROTECTED_TRANSPORT,
  REFEDS_MFA,
  UNSPECIFIED,
} from "../../../../src/protocol/saml/idp/authn-context.ts";

const SMARTCARD = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI";
const PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";

describe("acceptableClasses (SAML Core §3.3.2.2.1)", () => {
  it.each<[string, Comparison, string[], readonly string[] | undefined]>([
    ["those that are known, in order", "exact", [SMARTCARD, REFEDS_MFA, PASSWORD], [REFEDS_MFA, PASSWORD]],
    ["none, where none is known", "exact", [SMARTCARD], undefined],
    ["none, where a declaration alone was asked for", "exact", [], undefined],
    ["at least one", "minimum", [PASSWORD], [PASSWORD]],
    ["at most one", "maximum", [PASSWORD], [PASSWORD]],
    ["a better one than a password", "better", [PASSWORD], [REFEDS_MFA]],
    ["nothing better than two factors", "better", [PASSWORD, REFEDS_MFA], undefined],
  ])("%s", (_, comparison, classes, expected) => {
    expect(acceptableClasses({ comparison, classes })).toEqual(expected);
  });

  it("any, where nothing was asked for", () => {
    expect(acceptableClasses(undefined)).toEqual([]);
  });
});

describe("contextClassOf (SAML Core §2.7.2.2)", () => {
  const password = { acr: ACR_1FA, amr: ["pwd"] };
  const passkey = { acr: ACR_1FA, amr: ["hwk"] };
  const both = { acr: ACR_2FA, amr: ["pwd", "otp", "mfa"] };

  it("tells what was done, where any will do", () => {
    expect(contextClassOf(password, [])).toBe(PASSWORD_PROTECTED_TRANSPORT);
    expect(contextClassOf(passkey, [])).toBe(UNSPECIFIED);
    expect(contextClassOf(both, [])).toBe(REFEDS_MFA);
  });

  it("is the first one that was reached of those that were asked for", () => {
    expect(contextClassOf(both, [REFEDS_MFA, PASSWORD])).toBe(REFEDS_MFA);
    expect(contextClassOf(password, [REFEDS_MFA, PASSWORD])).toBe(PASSWORD);
    expect(contextClassOf(both, [PASSWORD])).toBe(PASSWORD);
  });

  it("is none where more has to be proved, and none for a class that nobody knows", () => {
    expect(contextClassOf(password, [REFEDS_MFA])).toBeUndefined();
    expect(contextClassOf(password, [SMARTCARD])).toBeUndefined();
  });
});
