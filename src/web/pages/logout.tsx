/** @jsxImportSource preact */
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import { type FormTarget, type PageShell, safeWebUrl } from "../shell.ts";

export interface LogoutProps {
  form: FormTarget;
  /** What the form carries of the request: it is checked again when it comes back. */
  hidden: Readonly<Record<string, string>>;
  /** Who is signed in, as they know themselves: the email address or the username. */
  user: string;
  /** The name of the application that the browser says it comes from. */
  client?: string | undefined;
}

/** Fields posted: `csrf`, `decision` (`sign_out` or `stay`), and what `hidden` holds. */
export function renderLogout(shell: PageShell, props: LogoutProps): string {
  const t = translator(shell.locale).logout;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title} showClient={false}>
      {props.client === undefined ? null : <p class="muted">{t.asked(<Name>{props.client}</Name>)}</p>}
      <p>{t.question(<Name>{props.user}</Name>)}</p>
      <PostForm {...props.form} hidden={props.hidden}>
        <button type="submit" name="decision" value="sign_out">
          {t.confirm}
        </button>
        <button type="submit" name="decision" value="stay" class="secondary">
          {t.stay}
        </button>
      </PostForm>
    </Card>,
    { title: t.title },
  );
}

export interface SignedOutProps {
  signInUrl: string;
  /** An address that the application registered. Shown only where it is a web page. */
  back?: { client: string; url: string } | undefined;
}

export function renderSignedOut(shell: PageShell, { signInUrl, back }: SignedOutProps): string {
  const t = translator(shell.locale).logout;
  const backUrl = safeWebUrl(back?.url);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.doneTitle} showClient={false}>
      <p>{t.done}</p>
      {back && backUrl ? <ButtonLink href={backUrl}>{t.backTo(<bdi>{back.client}</bdi>)}</ButtonLink> : null}
      <ButtonLink href={signInUrl} secondary>
        {t.signIn}
      </ButtonLink>
    </Card>,
    { title: t.doneTitle },
  );
}
