/** Mails to administrators about their tenant. */
import type { Deps } from "../../src/deps.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import { createMailHandlers, personData } from "./handler.ts";

export function administratorMails(deps: Deps, driver: MailDriver | undefined) {
  const mail = createMailHandlers(deps, driver);
  return {
    dormant_accounts: mail("dormant_accounts", async ({ job: { payload }, issuer, recipient }) => ({
      ...personData(recipient, `${issuer}/`),
      inactiveDays: payload.inactive_days,
      dormant: payload.dormant,
      neverSignedIn: payload.never_signed_in,
      administrators: payload.administrators,
    })),
  };
}
