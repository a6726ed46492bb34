import { duration, letterFrame, type Template, type TokenData } from "./template.ts";

export const verifyEmail: Template<TokenData> = ({ name, link, expiresInSeconds }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.verifyEmail.subject(tenant),
    paragraphs: [t.verifyEmail.body(tenant)],
    action: { label: t.verifyEmail.action, url: link },
    closing: [t.validFor(duration(t, expiresInSeconds)), t.verifyEmail.unexpected],
  };
};
