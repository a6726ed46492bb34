/** What administrators are told about accounts that nobody uses. */
import { letterFrame, type PersonData, type Template } from "./template.ts";

export interface DormantAccountsData extends PersonData {
  inactiveDays: number;
  dormant: number;
  neverSignedIn: number;
  administrators: number;
}

export const dormantAccounts: Template<DormantAccountsData> = (data, context) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  return {
    ...common,
    subject: t.dormantAccounts.subject(tenant),
    paragraphs: [t.dormantAccounts.body(tenant, data.inactiveDays)],
    facts: [
      [t.dormantAccounts.dormant, `${data.dormant}`],
      [t.dormantAccounts.neverSignedIn, `${data.neverSignedIn}`],
      [t.dormantAccounts.administrators, `${data.administrators}`],
    ],
    action: { label: t.dormantAccounts.action, url: data.link },
    closing: [t.dormantAccounts.next],
  };
};
