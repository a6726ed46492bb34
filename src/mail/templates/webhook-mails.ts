/** What administrators are told about webhooks. */
import { letterFrame, type PersonData, type Template } from "./template.ts";
import { factText } from "./untrusted-text.ts";

export interface WebhookDisabledData extends PersonData {
  /** Of the receiver's address: paths often hold secrets. */
  host: string;
}

export const webhookDisabled: Template<WebhookDisabledData> = ({ name, link, host }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.webhookDisabled.subject(tenant),
    paragraphs: [t.webhookDisabled.body(tenant)],
    facts: [[t.webhookDisabled.receiver, factText(host)]],
    action: { label: t.webhookDisabled.action, url: link },
    closing: [t.webhookDisabled.next],
  };
};
