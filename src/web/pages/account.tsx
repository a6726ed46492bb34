/** @jsxImportSource preact */
import type { JSX } from "preact";
import { GrantList, type GrantView, SessionList, type SessionView } from "../components/account-lists.tsx";
import { ButtonLink, Card } from "../components/card.tsx";
import { Notice, PostForm } from "../components/form.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

/** What was just done, told once above the page. */
export type AccountNotice = keyof Messages["account"]["notices"];

export interface AccountProps {
  user: {
    email: string;
    emailVerified: boolean;
    username?: string | undefined;
    /** Given and family name, joined. */
    name?: string | undefined;
  };
  signOut: FormTarget;
  securityUrl: string;
  /** Shown while the address is not confirmed. */
  sendVerification?: FormTarget | undefined;
  notice?: AccountNotice | undefined;
  sessions: readonly SessionView[];
  endSession: FormTarget;
  endOtherSessions: FormTarget;
  grants: readonly GrantView[];
  revokeGrant: FormTarget;
}

/** The home of a person who is signed in. */
export function renderAccount(shell: PageShell, props: AccountProps): string {
  return renderPage(shell, <Account shell={shell} {...props} />, {
    title: translator(shell.locale).account.title,
  });
}

function Account({ shell, user, ...props }: AccountProps & { shell: PageShell }): JSX.Element {
  const { locale } = shell;
  const t = translator(locale);
  return (
    <Card shell={shell} heading={t.account.title} showClient={false}>
      {props.notice ? <Notice>{t.account.notices[props.notice]}</Notice> : null}
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
      <ButtonLink href={props.securityUrl} secondary>
        {t.security.link}
      </ButtonLink>
      <PostForm {...props.signOut}>
        <button type="submit" class="secondary">
          {t.account.signOut}
        </button>
      </PostForm>
      <SessionList
        sessions={props.sessions}
        end={props.endSession}
        endOthers={props.endOtherSessions}
        t={t}
        locale={locale}
      />
      <GrantList grants={props.grants} revoke={props.revokeGrant} t={t} locale={locale} />
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
