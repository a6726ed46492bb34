import { letterFrame, moment, type PersonData, type Template } from "./template.ts";
import { factText } from "./untrusted-text.ts";

export interface ImpersonatedData extends PersonData {
  at: Date;
  minutes: number;
  /** In the administrator's words. */
  reason: string;
}

/** An administrator signed in as the user. */
export const impersonated: Template<ImpersonatedData> = (data, context) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  return {
    ...common,
    subject: t.impersonated.subject(tenant),
    paragraphs: [t.impersonated.body(tenant)],
    facts: [
      [t.newSignIn.time, moment(data.at, context)],
      [t.impersonated.duration, t.impersonated.atMost(data.minutes)],
      [t.impersonated.reason, factText(data.reason)],
    ],
    action: { label: t.impersonated.action, url: data.link },
    closing: [t.impersonated.limits, t.impersonated.unexpected],
  };
};
