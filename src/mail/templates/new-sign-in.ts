import { letterFrame, moment, type PersonData, type Template } from "./template.ts";
import { factText } from "./untrusted-text.ts";

export interface NewSignInData extends PersonData {
  at: Date;
  ipAddress?: string | undefined;
  /** What the browser says of itself, shortened: "Firefox on Linux". */
  device?: string | undefined;
}

export const newSignIn: Template<NewSignInData> = (data, context) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  return {
    ...common,
    subject: t.newSignIn.subject(tenant),
    paragraphs: [t.newSignIn.body(tenant)],
    facts: [
      [t.newSignIn.time, moment(data.at, context)],
      ...(data.device ? [[t.newSignIn.device, factText(data.device)] as const] : []),
      ...(data.ipAddress ? [[t.newSignIn.address, factText(data.ipAddress)] as const] : []),
    ],
    action: { label: t.newSignIn.action, url: data.link },
    closing: [t.newSignIn.expected, t.newSignIn.unexpected],
  };
};
