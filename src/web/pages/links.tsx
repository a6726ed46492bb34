/** @jsxImportSource preact */
/** What mailed links lead to that change something about an account. */
import { ButtonLink, Card, Name } from "../components/card.tsx";
import { PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export type LinkKind = "approveEmail" | "confirmEmail" | "keepAccount";

export interface LinkProps {
  kind: LinkKind;
  form: FormTarget;
  /** From the link; posted as `token`. */
  token: string;
  /** The address that the account is to have. */
  newAddress?: string | undefined;
}

/** Scanners of mail open every link, so opening one must not use it: a person presses the button. Posted: `csrf`, `token`. */
export function renderLink(shell: PageShell, { kind, form, token, newAddress }: LinkProps): string {
  const t = translator(shell.locale);
  const texts = t.links[kind];
  return renderPage(
    shell,
    <Card shell={shell} heading={texts.title} showClient={false}>
      <p>{texts.explanation}</p>
      {newAddress === undefined ? null : (
        <p>
          {t.links.newAddress}: <Name>{newAddress}</Name>
        </p>
      )}
      <PostForm {...form} hidden={{ token }}>
        <button type="submit">{texts.submit}</button>
      </PostForm>
    </Card>,
    { title: texts.title },
  );
}

export type LinkOutcome = "emailChanged" | "otherConsentMissing" | "accountKept";

export function renderLinkDone(
  shell: PageShell,
  { outcome, signInUrl }: { outcome: LinkOutcome; signInUrl: string },
): string {
  const t = translator(shell.locale);
  const texts = t.links.outcomes[outcome];
  return renderPage(
    shell,
    <Card shell={shell} heading={texts.title} showClient={false}>
      <p role="status">{texts.explanation}</p>
      <ButtonLink href={signInUrl}>{t.signIn.title}</ButtonLink>
    </Card>,
    { title: texts.title },
  );
}

/** For a token that is used, too old or not ours: the three look alike. */
export function renderLinkExpired(shell: PageShell, { signInUrl }: { signInUrl: string }): string {
  const t = translator(shell.locale);
  return renderPage(
    shell,
    <Card shell={shell} heading={t.links.expiredTitle} showClient={false}>
      <p>{t.links.expired}</p>
      <ButtonLink href={signInUrl}>{t.signIn.title}</ButtonLink>
    </Card>,
    { title: t.links.expiredTitle },
  );
}
