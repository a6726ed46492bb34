/** @jsxImportSource preact */
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface SelectAccountProps {
  form: FormTarget;
  /** Who is signed in, as they know themselves: the email address or the username. */
  user: string;
  /** Signs in as somebody else within the same authorization request. */
  otherAccountUrl: string;
}

/** Fields posted: `csrf`, `interaction`. */
export function renderSelectAccount(shell: PageShell, props: SelectAccountProps): string {
  const { selectAccount: t } = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title}>
      <PostForm {...props.form}>
        <button type="submit">{t.goOn(<Name>{props.user}</Name>)}</button>
      </PostForm>
      <ButtonLink href={props.otherAccountUrl} secondary>
        {t.other}
      </ButtonLink>
    </Card>,
    { title: t.title },
  );
}
