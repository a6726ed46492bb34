/** @jsxImportSource preact */
/** A person's API keys: the list on the security page, the form that makes one, and its one showing. */
import type { JSX } from "preact";
import type { FieldError } from "../../lib/errors.ts";
import type { Locale } from "../../lib/locale.ts";
import { Moment, Section } from "../components/account-lists.tsx";
import { ButtonLink, Card } from "../components/card.tsx";
import { ErrorSummary, Field, PostForm } from "../components/form.tsx";
import type { Messages } from "../messages/en.ts";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { FormTarget, PageShell } from "../shell.ts";

export interface ApiKeyView {
  id: string;
  name: string;
  scopes: readonly string[];
  createdAt: Date;
  expiresAt: Date | undefined;
  lastUsedAt: Date | undefined;
}

export interface ApiKeyListProps {
  keys: readonly ApiKeyView[];
  addUrl: string;
  /** Field posted: `key_id`. */
  revoke: FormTarget;
}

export function ApiKeyList(props: ApiKeyListProps & { t: Messages; locale: Locale }): JSX.Element {
  const { t, locale, keys, addUrl, revoke } = props;
  const texts = t.apiKeys;
  return (
    <Section id="api-keys" title={texts.title}>
      <p class="muted">{keys.length === 0 ? texts.none : texts.explanation}</p>
      {keys.length === 0 ? null : (
        <ul class="entries">
          {keys.map((key) => (
            <li>
              <div class="entry">
                <strong>
                  <bdi>{key.name}</bdi>
                </strong>
                <small>{key.scopes.join(" · ")}</small>
                <small>{texts.created(<Moment at={key.createdAt} locale={locale} />)}</small>
                <small>
                  {key.lastUsedAt
                    ? t.security.lastUsed(<Moment at={key.lastUsedAt} locale={locale} />)
                    : t.security.neverUsed}
                </small>
                {key.expiresAt ? (
                  <small>{texts.until(<Moment at={key.expiresAt} locale={locale} />)}</small>
                ) : null}
              </div>
              <PostForm {...revoke} hidden={{ key_id: key.id }}>
                <button type="submit" class="secondary" aria-label={texts.revokeNamed(key.name)}>
                  {texts.revoke}
                </button>
              </PostForm>
            </li>
          ))}
        </ul>
      )}
      <ButtonLink href={addUrl} secondary>
        {texts.add}
      </ButtonLink>
    </Section>
  );
}

export interface NewApiKeyProps {
  form: FormTarget;
  /** What the person may give it; each a field `scope_<name>`, `true` or absent. */
  scopes: readonly { name: string; opens: string; checked: boolean }[];
  values: { name: string; days: string };
  /** Of `name`, `scopes` and `expires_in_days`. */
  fieldErrors?: readonly FieldError[];
  backUrl: string;
}

/** Fields posted: `csrf`, `name`, `expires_in_days`, `scope_…`. */
export function renderNewApiKey(shell: PageShell, props: NewApiKeyProps): string {
  const t = translator(shell.locale);
  const texts = t.apiKeys.form;
  const { fieldErrors = [] } = props;
  const errorOf = (name: string) => fieldErrors.find(({ field }) => field === name)?.message;
  const labels = { name: texts.name, expires_in_days: texts.days };
  return renderPage(
    shell,
    <Card
      shell={shell}
      heading={texts.title}
      showClient={false}
      footer={<a href={props.backUrl}>{t.security.backToSecurity}</a>}
    >
      {fieldErrors.length > 0 ? (
        <ErrorSummary message={t.errorSummary} fieldErrors={fieldErrors} labels={labels} />
      ) : null}
      <PostForm {...props.form}>
        <Field
          name="name"
          label={texts.name}
          type="text"
          autocomplete="off"
          hint={texts.nameHint}
          value={props.values.name}
          error={errorOf("name")}
        />
        <Field
          name="expires_in_days"
          label={texts.days}
          type="text"
          autocomplete="off"
          inputmode="numeric"
          value={props.values.days}
          error={errorOf("expires_in_days")}
        />
        <fieldset>
          <legend>{texts.scopes}</legend>
          {props.scopes.map(({ name, opens, checked }) => (
            <label class="check" for={`scope_${name}`}>
              <input
                id={`scope_${name}`}
                name={`scope_${name}`}
                type="checkbox"
                value="true"
                checked={checked}
              />
              <span>
                <code>{name}</code> <small>{opens}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <button type="submit">{texts.submit}</button>
      </PostForm>
    </Card>,
    { title: texts.title },
  );
}

export function renderApiKeyShown(
  shell: PageShell,
  { token, nextUrl }: { token: string; nextUrl: string },
): string {
  const texts = translator(shell.locale).apiKeys.shown;
  return renderPage(
    shell,
    <Card shell={shell} heading={texts.title} showClient={false}>
      <p>
        <strong>{texts.explanation}</strong>
      </p>
      <pre class="secret" aria-label={texts.label}>
        <code>{token}</code>
      </pre>
      <ButtonLink href={nextUrl}>{texts.done}</ButtonLink>
    </Card>,
    { title: texts.title },
  );
}
