/** @jsxImportSource preact */
import type { JSX } from "preact";
import { Card } from "../components/card.tsx";
import { Notice, PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface AccountProps {
  user: {
    email: string;
    emailVerified: boolean;
    username?: string | undefined;
    /** Given and family name, joined. */
    name?: string | undefined;
  };
  signOut: FormTarget;
  /** Shown while the address is not confirmed. */
  sendVerification?: FormTarget | undefined;
  /** Whether a confirmation link was just sent. */
  verificationSent?: boolean;
}

/** The home of a person who is signed in. */
export function renderAccount(shell: PageShell, props: AccountProps): string {
  return renderPage(shell, <Account shell={shell} {...props} />, {
    title: translator(shell.locale).account.title,
  });
}

function Account({ shell, user, ...props }: AccountProps & { shell: PageShell }): JSX.Element {
  const t = translator(shell.locale);
  return (
    <Card shell={shell} heading={t.account.title} showClient={false}>
      {props.verificationSent ? <Notice>{t.checkYourMail.resent}</Notice> : null}
      <dl class="facts">
        {user.name ? <Fact label={t.account.name} value={user.name} /> : null}
        {user.username ? <Fact label={t.username} value={user.username} /> : null}
        <Fact
          label={t.email}
          value={user.email}
          note={user.emailVerified ? t.account.verified : t.account.unverified}
        />
      </dl>
      {!user.emailVerified && props.sendVerification ? (
        <PostForm {...props.sendVerification}>
          <button type="submit">{t.account.sendVerification}</button>
        </PostForm>
      ) : null}
      <PostForm {...props.signOut}>
        <button type="submit" class="secondary">
          {t.account.signOut}
        </button>
      </PostForm>
    </Card>
  );
}

function Fact({ label, value, note }: { label: string; value: string; note?: string }): JSX.Element {
  return (
    <>
      <dt>{label}</dt>
      <dd>
        <bdi>{value}</bdi>
        {note ? <small> ({note})</small> : null}
      </dd>
    </>
  );
}
