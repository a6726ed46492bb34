/** @jsxImportSource preact */
/** What a person looks after on the account page: where they are signed in, and whom they let in. */
import type { ComponentChildren, JSX } from "preact";
import type { Locale } from "../../lib/locale.ts";
import type { Messages } from "../messages/en.ts";
import type { ClientView, FormTarget } from "../shell.ts";
import { Logo } from "./card.tsx";
import { PostForm } from "./form.tsx";

export interface SessionView {
  id: string;
  current: boolean;
  /** Whether an administrator is signed in as the person. */
  impersonated: boolean;
  device: { browser: string | undefined; system: string | undefined };
  ipAddress: string | undefined;
  applications: readonly string[];
  signedInAt: Date;
  lastUsedAt: Date;
}

export interface SessionListProps {
  sessions: readonly SessionView[];
  /** Field posted: `session_id`. */
  end: FormTarget;
  endOthers: FormTarget;
  t: Messages;
  locale: Locale;
}

export function SessionList({ sessions, end, endOthers, t, locale }: SessionListProps): JSX.Element {
  const others = sessions.filter(({ current }) => !current);
  return (
    <Section id="sessions" title={t.account.sessions.title}>
      <ul class="entries">
        {sessions.map((session) => (
          <SessionEntry session={session} end={end} t={t} locale={locale} />
        ))}
      </ul>
      {others.length === 0 ? null : (
        <PostForm {...endOthers}>
          <button type="submit" class="secondary">
            {t.account.sessions.endOthers}
          </button>
        </PostForm>
      )}
    </Section>
  );
}

function SessionEntry({
  session,
  end,
  t,
  locale,
}: {
  session: SessionView;
  end: FormTarget;
  t: Messages;
  locale: Locale;
}): JSX.Element {
  const texts = t.account.sessions;
  const device = deviceName(session.device, t);
  return (
    <li>
      <div class="entry">
        <strong>{device}</strong>
        {session.current ? ` (${texts.current})` : null}
        {session.impersonated ? <em> ({t.impersonation.session})</em> : null}
        <small>
          {texts.lastUsed(<Moment at={session.lastUsedAt} locale={locale} />)}
          {session.ipAddress ? (
            <>
              {" · "}
              <bdi>{session.ipAddress}</bdi>
            </>
          ) : null}
        </small>
        <small>{texts.since(<Moment at={session.signedInAt} locale={locale} />)}</small>
        {session.applications.length > 0 ? (
          <small>
            <bdi>{texts.applications(session.applications.join(", "))}</bdi>
          </small>
        ) : null}
      </div>
      {session.current ? null : (
        <PostForm {...end} hidden={{ session_id: session.id }}>
          <button type="submit" class="secondary" aria-label={texts.endNamed(device)}>
            {texts.end}
          </button>
        </PostForm>
      )}
    </li>
  );
}

export function deviceName({ browser, system }: SessionView["device"], t: Messages): string {
  if (browser && system) return t.account.sessions.device(browser, system);
  return browser ?? system ?? t.account.sessions.unknownDevice;
}

export interface GrantView {
  id: string;
  client: ClientView;
  scopes: readonly string[];
  grantedAt: Date;
  lastUsedAt: Date | undefined;
}

export interface GrantListProps {
  grants: readonly GrantView[];
  /** Field posted: `grant_id`. */
  revoke: FormTarget;
  t: Messages;
  locale: Locale;
}

export function GrantList({ grants, revoke, t, locale }: GrantListProps): JSX.Element {
  const texts = t.account.grants;
  return (
    <Section id="grants" title={texts.title}>
      {grants.length === 0 ? (
        <p class="muted">{texts.none}</p>
      ) : (
        <ul class="entries">
          {grants.map(({ id, client, scopes, grantedAt, lastUsedAt }) => (
            <li>
              <Logo name={client.name} url={client.logoUrl} />
              <div class="entry">
                <strong>
                  <bdi>{client.name}</bdi>
                </strong>
                <small>{scopes.map((scope) => scopeText(t, scope)).join(" · ")}</small>
                <small>{texts.since(<Moment at={grantedAt} locale={locale} />)}</small>
                {lastUsedAt ? (
                  <small>{texts.lastUsed(<Moment at={lastUsedAt} locale={locale} />)}</small>
                ) : null}
              </div>
              <PostForm {...revoke} hidden={{ grant_id: id }}>
                <button type="submit" class="secondary" aria-label={texts.revokeNamed(client.name)}>
                  {texts.revoke}
                </button>
              </PostForm>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function scopeText(t: Messages, name: string): string {
  const known: Readonly<Record<string, string>> = t.consent.scopes;
  return (Object.hasOwn(known, name) ? known[name] : undefined) ?? name;
}

export function Section({
  id,
  title,
  children,
}: {
  id: string;
  title: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

export function Moment({ at, locale }: { at: Date; locale: Locale }): JSX.Element {
  const text = new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: "UTC",
  }).format(at);
  return <time dateTime={at.toISOString()}>{text} UTC</time>;
}
