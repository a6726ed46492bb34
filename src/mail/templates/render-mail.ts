/** From a template's name and data to a mail. */
import { alreadyRegistered } from "./already-registered.ts";
import { letterHtml, letterText } from "./letter.tsx";
import { newSignIn, type NewSignInData } from "./new-sign-in.ts";
import { resetPassword } from "./reset-password.ts";
import type { MailContext, PersonData, Template, TokenData } from "./template.ts";
import { headerText } from "./untrusted-text.ts";
import { verifyEmail } from "./verify-email.ts";
import { welcome } from "./welcome.ts";

/** The data each template takes; its keys are the names of the jobs of the queue `email`. */
export interface MailData {
  verify_email: TokenData;
  reset_password: TokenData;
  welcome: PersonData;
  new_sign_in: NewSignInData;
  already_registered: PersonData;
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
  welcome,
  new_sign_in: newSignIn,
  already_registered: alreadyRegistered,
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
