/** From a template's name and data to a mail. */
import {
  accountDeleted,
  accountDeletionRequested,
  confirmNewEmail,
  dataExportReady,
  emailChanged,
  type EmailChangeData,
  emailChangeRequested,
  passwordChanged,
} from "./account-mails.ts";
import { alreadyRegistered } from "./already-registered.ts";
import { dormantAccounts, type DormantAccountsData } from "./dormant-accounts.ts";
import { factorAdded, type FactorData, factorRemoved } from "./factor-mails.ts";
import { impersonated, type ImpersonatedData } from "./impersonated.ts";
import { letterHtml, letterText } from "./letter.tsx";
import { newSignIn, type NewSignInData } from "./new-sign-in.ts";
import { resetPassword } from "./reset-password.ts";
import { type CodeData, emailCode, magicLink } from "./sign-in-mails.ts";
import type { MailContext, PersonData, Template, TokenData } from "./template.ts";
import { headerText } from "./untrusted-text.ts";
import { unlockAccount } from "./unlock-account.ts";
import { verifyEmail } from "./verify-email.ts";
import { type WebhookDisabledData, webhookDisabled } from "./webhook-mails.ts";
import { welcome } from "./welcome.ts";

/** The data each template takes; its keys are the names of the jobs of the queue `email`. */
export interface MailData {
  verify_email: TokenData;
  reset_password: TokenData;
  unlock_account: TokenData;
  welcome: PersonData;
  new_sign_in: NewSignInData;
  already_registered: PersonData;
  password_changed: PersonData;
  email_change_requested: EmailChangeData;
  confirm_new_email: TokenData;
  email_changed: PersonData & { newAddress: string };
  account_deletion_requested: PersonData & { dueAt: Date };
  account_deleted: { name?: string | undefined };
  data_export_ready: PersonData;
  impersonated: ImpersonatedData;
  factor_added: FactorData;
  factor_removed: FactorData;
  magic_link: TokenData;
  email_code: CodeData;
  webhook_disabled: WebhookDisabledData;
  dormant_accounts: DormantAccountsData;
}

export type MailTemplate = keyof MailData;

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

const templates: { [Name in MailTemplate]: Template<MailData[Name]> } = {
  verify_email: verifyEmail,
  reset_password: resetPassword,
  unlock_account: unlockAccount,
  welcome,
  new_sign_in: newSignIn,
  already_registered: alreadyRegistered,
  password_changed: passwordChanged,
  email_change_requested: emailChangeRequested,
  confirm_new_email: confirmNewEmail,
  email_changed: emailChanged,
  account_deletion_requested: accountDeletionRequested,
  account_deleted: accountDeleted,
  data_export_ready: dataExportReady,
  impersonated,
  factor_added: factorAdded,
  factor_removed: factorRemoved,
  magic_link: magicLink,
  email_code: emailCode,
  webhook_disabled: webhookDisabled,
  dormant_accounts: dormantAccounts,
};

/**
 * A mail, ready for any driver. The subject is one line whatever the tenant is called; the text says all that the
 * HTML says.
 */
export function renderMail<Name extends MailTemplate>(
  template: Name,
  data: MailData[Name],
  context: MailContext,
): RenderedMail {
  const letter = templates[template](data, context);
  return {
    subject: headerText(letter.subject),
    text: letterText(letter),
    html: letterHtml(letter, context.locale),
  };
}
