import { duration, letterFrame, type Template, type TokenData } from "./template.ts";

export const resetPassword: Template<TokenData> = ({ name, link, expiresInSeconds }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.resetPassword.subject(tenant),
    paragraphs: [t.resetPassword.body(tenant)],
    action: { label: t.resetPassword.action, url: link },
    closing: [t.validFor(duration(t, expiresInSeconds)), t.resetPassword.unexpected],
  };
};
