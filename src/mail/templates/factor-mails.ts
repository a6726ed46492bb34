/** What people are told when a second factor comes to their account, or goes. */
import { letterFrame, type MailContext, type PersonData } from "./template.ts";
import { factText } from "./untrusted-text.ts";

export interface FactorData extends PersonData {
  method: "totp" | "webauthn" | "sms_code";
  /** What its owner calls it. */
  factorName: string;
}

const factorMail = (kind: "factorAdded" | "factorRemoved") => (data: FactorData, context: MailContext) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  const { method } = data;
  return {
    ...common,
    subject: t[kind].subject(tenant),
    paragraphs: [t[kind].body(tenant)],
    facts: [[t.factor.kind, t.factor[method]] as const, [t.factor.name, factText(data.factorName)] as const],
    action: { label: t[kind].action, url: data.link },
    closing: [t[kind].unexpected],
  };
};

export const factorAdded = factorMail("factorAdded");
export const factorRemoved = factorMail("factorRemoved");
