import { letterFrame, type PersonData, type Template } from "./template.ts";

export const alreadyRegistered: Template<PersonData> = ({ name, link }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.alreadyRegistered.subject(tenant),
    paragraphs: [t.alreadyRegistered.body(tenant)],
    action: { label: t.alreadyRegistered.action, url: link },
    closing: [t.alreadyRegistered.forgotten, t.alreadyRegistered.unexpected],
  };
};
