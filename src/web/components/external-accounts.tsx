/** @jsxImportSource preact */
/** What a person is known by elsewhere, on the security page. */
import type { JSX } from "preact";
import type { Locale } from "../../lib/locale.ts";
import type { Messages } from "../messages/en.ts";
import type { FormTarget } from "../shell.ts";
import { Moment, Section } from "./account-lists.tsx";
import { PostForm } from "./form.tsx";
import { ProviderMark } from "./provider-marks.tsx";

export interface ExternalAccountView {
  id: string;
  connection: { name: string; preset: string | null };
  /** As the connection says. */
  email: string | undefined;
  connectedAt: Date;
  lastUsedAt: Date | undefined;
}

export interface ExternalAccountListProps {
  accounts: readonly ExternalAccountView[];
  /** Field posted: `account_id`. */
  disconnect: FormTarget;
  /** Those that could be added. Field posted: `connection`. */
  offered: readonly { key: string; name: string; preset: string | null }[];
  connect: FormTarget;
}

/** Nothing, where people sign in here alone. */
export function ExternalAccountList(
  props: ExternalAccountListProps & { t: Messages; locale: Locale },
): JSX.Element | null {
  const { accounts, offered, t } = props;
  const texts = t.security.externalAccounts;
  if (accounts.length === 0 && offered.length === 0) return null;
  return (
    <Section id="external-accounts" title={texts.title}>
      {accounts.length === 0 ? (
        <p class="muted">{texts.none}</p>
      ) : (
        <ul class="entries">
          {accounts.map((account) => (
            <Entry {...props} account={account} />
          ))}
        </ul>
      )}
      {offered.map(({ key, name, preset }) => (
        <PostForm {...props.connect} hidden={{ connection: key }}>
          <button type="submit" class="secondary provider">
            <ProviderMark preset={preset} />
            <span>
              <bdi>{texts.connect(name)}</bdi>
            </span>
          </button>
        </PostForm>
      ))}
    </Section>
  );
}

function Entry(
  props: ExternalAccountListProps & { t: Messages; locale: Locale; account: ExternalAccountView },
): JSX.Element {
  const { t, locale, account } = props;
  const texts = t.security.externalAccounts;
  const { name, preset } = account.connection;
  return (
    <li>
      <ProviderMark preset={preset} />
      <div class="entry">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        {account.email === undefined ? null : (
          <small>
            <bdi>{account.email}</bdi>
          </small>
        )}
        <small>{t.security.added(<Moment at={account.connectedAt} locale={locale} />)}</small>
        <small>
          {account.lastUsedAt
            ? t.security.lastUsed(<Moment at={account.lastUsedAt} locale={locale} />)
            : t.security.neverUsed}
        </small>
      </div>
      <PostForm {...props.disconnect} hidden={{ account_id: account.id }}>
        <button type="submit" class="secondary" aria-label={texts.disconnectNamed(name)}>
          {texts.disconnect}
        </button>
      </PostForm>
    </li>
  );
}
