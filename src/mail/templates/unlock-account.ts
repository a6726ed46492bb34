import { duration, letterFrame, type Template, type TokenData } from "./template.ts";

export const unlockAccount: Template<TokenData> = ({ name, link, expiresInSeconds }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.unlockAccount.subject(tenant),
    paragraphs: [t.unlockAccount.body(tenant), t.unlockAccount.waiting],
    action: { label: t.unlockAccount.action, url: link },
    closing: [t.validFor(duration(t, expiresInSeconds)), t.unlockAccount.unexpected],
  };
};
