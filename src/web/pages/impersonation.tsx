/** @jsxImportSource preact */
/** Where an administrator's one-time link leads. */
import { Card, Name } from "../components/card.tsx";
import { Notice, PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface ImpersonateProps {
  /** From the link; posted as `token`. */
  token: string;
  form: FormTarget;
  user: string;
  by: string;
}

/** Opening the link uses nothing: the button does. */
export function renderImpersonate(shell: PageShell, { token, form, user, by }: ImpersonateProps): string {
  const t = translator(shell.locale).impersonation;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p>{t.explanation(<Name>{user}</Name>, <Name>{by}</Name>)}</p>
      <PostForm {...form} hidden={{ token }}>
        <button type="submit">{t.submit}</button>
      </PostForm>
    </Card>,
    { title: t.title },
  );
}

export function renderImpersonationEnded(shell: PageShell): string {
  const t = translator(shell.locale).impersonation;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <Notice>{t.ended}</Notice>
    </Card>,
    { title: t.title },
  );
}

/** For a link that is used, too old, another browser's or not ours: they look alike. */
export function renderImpersonationExpired(shell: PageShell): string {
  const t = translator(shell.locale).impersonation;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      <p>{t.expired}</p>
    </Card>,
    { title: t.title },
  );
}
