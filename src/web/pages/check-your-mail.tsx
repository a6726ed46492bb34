/** @jsxImportSource preact */
import type { JSX } from "preact";
import { Card, Name } from "../components/card.tsx";
import { Notice, PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface CheckYourMailProps {
  /** `verify` after sign-up, `reset` after a forgotten password; neither says whether the address has an account. */
  kind: "verify" | "reset";
  /** The address as typed. */
  email: string;
  /** Where "Send it again" posts to; its fields are `csrf`, `interaction` and `email`. */
  resend?: FormTarget | undefined;
  /** Whether the message was just sent again. */
  resent?: boolean;
  signInUrl: string;
  /** Set in development only. */
  mailboxUrl?: string | undefined;
}

export function renderCheckYourMail(shell: PageShell, props: CheckYourMailProps): string {
  return renderPage(shell, <CheckYourMail shell={shell} {...props} />, {
    title: translator(shell.locale).checkYourMail.title,
  });
}

function CheckYourMail({ shell, ...props }: CheckYourMailProps & { shell: PageShell }): JSX.Element {
  const t = translator(shell.locale);
  return (
    <Card
      shell={shell}
      heading={t.checkYourMail.title}
      showClient={false}
      footer={<a href={props.signInUrl}>{t.backToSignIn}</a>}
    >
      {props.resent ? <Notice>{t.checkYourMail.resent}</Notice> : null}
      <p>{t.checkYourMail[props.kind](<Name>{props.email}</Name>)}</p>
      <p class="muted">{t.checkYourMail.hint}</p>
      {props.mailboxUrl ? (
        <p>
          <a href={props.mailboxUrl}>{t.developmentMailbox}</a>
        </p>
      ) : null}
      {props.resend ? (
        <PostForm {...props.resend} hidden={{ email: props.email }}>
          <button type="submit" class="secondary">
            {t.checkYourMail.resend}
          </button>
        </PostForm>
      ) : null}
    </Card>
  );
}
