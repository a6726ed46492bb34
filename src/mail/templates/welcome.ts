import { letterFrame, type PersonData, type Template } from "./template.ts";

export const welcome: Template<PersonData> = ({ name, link }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.welcome.subject(tenant),
    paragraphs: [t.welcome.body(tenant)],
    action: { label: t.welcome.action, url: link },
    closing: [],
  };
};
