/**
 * Assertions that were really signed, and say it to somebody else, of another time, or about another sign-in (SAML Profiles
 * §4.1.4.2, SAML Core §2.4, §2.5). The guards are the lines of `protocol/saml/message.ts`, `assertion.ts` and `response.ts` that
 * throw the named reason.
 */
import { describe, expect, it } from "bun:test";
import { checkInResponseTo } from "../../../src/protocol/saml/response.ts";
import { SamlError, type SamlRefusal } from "../../../src/protocol/saml/errors.ts";
import {
  assertionXml,
  type ResponseParts,
  responseXml,
  signXml,
} from "../../support/saml-identity-provider.ts";
import { expected, genuine, now, parts, refusal, replaced, trusted } from "./support.ts";

const accepted = "accepted: ada@example.com";
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const instant = (seconds: number) => at(seconds).toISOString();

const bearer = (data: string, method = "urn:oasis:names:tc:SAML:2.0:cm:bearer") =>
  `<saml:SubjectConfirmation Method="${method}">${data}</saml:SubjectConfirmation>`;
const data = (attributes: string) => `<saml:SubjectConfirmationData ${attributes}/>`;
const RIGHT = `Recipient="${expected.acsUrl}" InResponseTo="_request"`;
const END = `NotOnOrAfter="${instant(300)}"`;
const audience = (...names: string[]) =>
  `<saml:AudienceRestriction>${names.map((name) => `<saml:Audience>${name}</saml:Audience>`).join("")}</saml:AudienceRestriction>`;
const conditions = (content: string, attributes = `NotBefore="${instant(-60)}" ${END}`) =>
  `<saml:Conditions ${attributes}>${content}</saml:Conditions>`;
const statement = (attributes: string) =>
  `<saml:AuthnStatement ${attributes}><saml:AuthnContext><saml:AuthnContextClassRef>urn:x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;

const wrong: readonly [string, Partial<ResponseParts>, SamlRefusal][] = [
  ["another destination", { destination: "https://attacker.example/acs" }, "destination"],
  ["another recipient", { recipient: "https://attacker.example/acs" }, "recipient"],
  ["a recipient that only begins as ours", { recipient: `${expected.acsUrl}/x` }, "recipient"],
  ["another issuer", { issuer: "https://other.example/metadata" }, "issuer"],
  ["another audience", { audience: "https://other.example/metadata" }, "audience"],
  ["an audience in other letters", { audience: expected.audience.toUpperCase() }, "audience"],
  ["no audience", { conditions: conditions("") }, "audience"],
  ["an audience restriction that names nobody", { conditions: conditions(audience()) }, "audience"],
  [
    "two restrictions of which one is not for us",
    { conditions: conditions(audience(expected.audience) + audience("https://other.example")) },
    "audience",
  ],
  ["no conditions", { conditions: "" }, "conditions"],
  ["conditions twice", { conditions: conditions(audience(expected.audience)).repeat(2) }, "conditions"],
  [
    "a condition that nobody knows",
    { conditions: conditions(`${audience(expected.audience)}<x:y xmlns:x="urn:x"/>`) },
    "conditions",
  ],
  [
    "conditions that are over",
    { conditions: conditions(audience(expected.audience), `NotOnOrAfter="${instant(-60)}"`) },
    "expired",
  ],
  [
    "conditions that do not hold yet",
    { conditions: conditions(audience(expected.audience), `NotBefore="${instant(61)}"`) },
    "not_yet_valid",
  ],
  [
    "a confirmation that is over",
    { subjectConfirmation: bearer(data(`${RIGHT} NotOnOrAfter="${instant(-60)}"`)) },
    "expired",
  ],
  ["a confirmation without an end", { subjectConfirmation: bearer(data(RIGHT)) }, "subject_confirmation"],
  [
    "a confirmation with a beginning",
    { subjectConfirmation: bearer(data(`${RIGHT} ${END} NotBefore="${instant(-60)}"`)) },
    "subject_confirmation",
  ],
  ["a confirmation without a recipient", { subjectConfirmation: bearer(data(END)) }, "recipient"],
  ["a confirmation without data", { subjectConfirmation: bearer("") }, "subject_confirmation"],
  ["no confirmation", { subjectConfirmation: "" }, "subject_confirmation"],
  [
    "a confirmation by holder of key alone",
    { subjectConfirmation: bearer(data(`${RIGHT} ${END}`), "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key") },
    "subject_confirmation",
  ],
  ["a status that is no success", { status: "urn:oasis:names:tc:SAML:2.0:status:Responder" }, "status"],
  ["no authentication", { authnStatement: "" }, "authn_statement"],
  [
    "an authentication of the future",
    { authnStatement: statement(`AuthnInstant="${instant(61)}"`) },
    "authn_statement",
  ],
  [
    "a session that is over",
    { authnStatement: statement(`AuthnInstant="${instant(-600)}" SessionNotOnOrAfter="${instant(-60)}"`) },
    "expired",
  ],
  ["a time that is none", { authnStatement: statement('AuthnInstant="yesterday"') }, "timestamp"],
  ["a day that is none", { authnStatement: statement('AuthnInstant="2026-02-31T00:00:00Z"') }, "timestamp"],
  [
    "a time of another zone",
    { authnStatement: statement('AuthnInstant="2026-03-01T12:00:00+02:00"') },
    "timestamp",
  ],
];

describe("what an assertion says", () => {
  it.each(wrong)("is refused with %s", (_, changes, reason) => {
    expect(refusal(genuine("both", changes))).toBe(reason);
    expect(refusal(genuine("assertion", changes))).toBe(reason);
  });

  it("is accepted when one of several confirmations is right, whatever the others are", () => {
    const subjectConfirmation =
      bearer(data(`Recipient="https://other.example" ${END}`)) + bearer(data(`${RIGHT} ${END}`));
    expect(refusal(genuine("both", { subjectConfirmation }))).toBe(accepted);
  });

  it("is refused with a name that is for another service provider", () => {
    const qualified = replaced(
      assertionXml(parts()),
      "<saml:NameID ",
      '<saml:NameID SPNameQualifier="https://other.example" ',
    );
    expect(refusal(signXml(responseXml(parts(), qualified), "Response", trusted))).toBe("name_id");
  });

  it("is refused with two names, and with none", () => {
    const name = /<saml:NameID.*<\/saml:NameID>/;
    const twice = assertionXml(parts()).replace(name, (one) => one + one);
    const none = assertionXml(parts()).replace(name, "");
    for (const xml of [twice, none]) {
      expect(refusal(signXml(responseXml(parts(), xml), "Response", trusted))).toBe("name_id");
    }
  });

  it("is refused with another issuer inside of a response of the right one", () => {
    const assertion = assertionXml(parts({ issuer: "https://other.example" }));
    expect(refusal(signXml(responseXml(parts(), assertion), "Response", trusted))).toBe("issuer");
  });

  it("is refused when it is not of SAML 2.0, in either of its versions", () => {
    const one = replaced(assertionXml(parts()), 'Version="2.0"', 'Version="1.1"');
    expect(refusal(signXml(responseXml(parts(), one), "Response", trusted))).toBe("version");
    const other = replaced(responseXml(parts(), ""), 'Version="2.0"', 'Version="1.1"');
    const whole = other.replace("</samlp:Response>", () => `${assertionXml(parts())}</samlp:Response>`);
    expect(refusal(signXml(whole, "Response", trusted))).toBe("version");
  });

  it("is refused with an assertion of the future in a response of now", () => {
    const assertion = assertionXml(parts({ now: at(61) }));
    expect(refusal(signXml(responseXml(parts(), assertion), "Response", trusted))).toBe("issue_instant");
  });
});

describe("the message around it", () => {
  const signedAround = (change: (response: string) => string) =>
    signXml(change(responseXml(parts(), assertionXml(parts()))), "Response", trusted);
  const ISSUER = `<saml:Issuer>${expected.issuer}</saml:Issuer>`;
  const first = (by: string) => (xml: string) => xml.replace(ISSUER, () => by);
  const CODE = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>';

  it("is refused of another issuer, though the assertion is of the right one", () => {
    expect(refusal(signedAround(first("<saml:Issuer>https://other.example</saml:Issuer>")))).toBe("issuer");
  });

  it("is refused with an issuer that is a person, and with two", () => {
    const person = `<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${expected.issuer}</saml:Issuer>`;
    expect(refusal(signedAround(first(person)))).toBe("issuer");
    const twice = `${ISSUER}<saml:Issuer>https://other.example</saml:Issuer>`;
    const wrapped = responseXml(parts(), genuineAssertion()).replace(ISSUER, () => twice);
    expect(refusal(wrapped)).toBe("issuer");
  });

  it("is refused with two statuses, two codes, or none", () => {
    const status = `<samlp:Status>${CODE}</samlp:Status>`;
    const failed = `<samlp:Status><samlp:StatusCode Value="urn:x"/></samlp:Status>`;
    for (const by of [status + failed, failed + status, `<samlp:Status>${CODE}${CODE}</samlp:Status>`, ""]) {
      expect(refusal(signedAround((xml) => replaced(xml, status, by)))).toBe("status");
    }
  });

  it("is refused with an assertion that has no identifier to remember it by", () => {
    for (const by of [" ", ' ID="" ', ` ID="_${"a".repeat(256)}" `]) {
      const assertion = assertionXml(parts()).replace(/ ID="[^"]+" /, by);
      const xml = signXml(responseXml(parts(), assertion), "Response", trusted);
      expect(refusal(xml)).toBe("message_id");
    }
  });
});

const genuineAssertion = () => signXml(assertionXml(parts()), "Assertion", trusted);

describe("time", () => {
  it("refuses a response that was kept for a while, and one of the future", () => {
    const sent = genuine("response");
    expect(refusal(sent, { expected: { now: at(359) } })).toBe(accepted);
    expect(refusal(sent, { expected: { now: at(360) } })).toBe("issue_instant");
    expect(refusal(sent, { expected: { now: at(-60) } })).toBe(accepted);
    expect(refusal(sent, { expected: { now: at(-61) } })).toBe("issue_instant");
  });

  it("allows clocks to be as far apart as configured, and no farther", () => {
    const over = genuine("response", {
      conditions: conditions(audience(expected.audience), `NotOnOrAfter="${instant(-30)}"`),
    });
    expect(refusal(over)).toBe(accepted);
    expect(refusal(over, { expected: { skewSeconds: 30 } })).toBe("expired");
  });
});

describe("which request it answers", () => {
  it("refuses a response and an assertion that answer different ones", () => {
    const assertion = assertionXml(parts({ inResponseTo: "_other" }));
    expect(refusal(signXml(responseXml(parts(), assertion), "Response", trusted))).toBe("in_response_to");
  });

  it("refuses an assertion without a request in an unsigned response that claims one", () => {
    const assertion = signXml(assertionXml(parts({ inResponseTo: undefined })), "Assertion", trusted);
    expect(refusal(responseXml(parts(), assertion))).toBe("in_response_to");
  });

  const check = (...of: Parameters<typeof checkInResponseTo>) => {
    try {
      checkInResponseTo(...of);
      return "accepted";
    } catch (error) {
      return error instanceof SamlError ? error.reason : "?";
    }
  };

  it("refuses any other than this browser's, also where the identity provider may begin", () => {
    for (const allowIdpInitiated of [false, true]) {
      expect(check("_a", { requestId: "_a", allowIdpInitiated })).toBe("accepted");
      expect(check("_a", { requestId: "_b", allowIdpInitiated })).toBe("in_response_to");
      expect(check("_a", { requestId: undefined, allowIdpInitiated })).toBe("in_response_to");
      expect(check(undefined, { requestId: "_a", allowIdpInitiated })).toBe("in_response_to");
    }
    expect(check(undefined, { requestId: undefined, allowIdpInitiated: true })).toBe("accepted");
    expect(check(undefined, { requestId: undefined, allowIdpInitiated: false })).toBe("unsolicited");
  });
});
