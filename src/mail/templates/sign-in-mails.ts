/** What signs people in without a password. */
import { duration, letterFrame, type Template, type TokenData } from "./template.ts";

export const magicLink: Template<TokenData> = ({ name, link, expiresInSeconds }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.magicLink.subject(tenant),
    paragraphs: [t.magicLink.body(tenant)],
    action: { label: t.magicLink.action, url: link },
    closing: [t.validFor(duration(t, expiresInSeconds)), t.magicLink.unexpected],
  };
};

export interface CodeData {
  name?: string | undefined;
  /** Six digits. */
  code: string;
  expiresInSeconds: number;
}

/** Without a link: a code belongs into the page that asked for it, and a mail with both teaches people to click. */
export const emailCode: Template<CodeData> = ({ name, code, expiresInSeconds }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.emailCode.subject(tenant, code),
    paragraphs: [t.emailCode.body(tenant)],
    facts: [[t.emailCode.code, code]],
    closing: [t.emailCode.validFor(duration(t, expiresInSeconds)), t.emailCode.unexpected],
  };
};
