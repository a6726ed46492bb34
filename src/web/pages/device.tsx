/** @jsxImportSource preact */
/** The pages on which people let a device in that has no browser of its own (RFC 8628 §3.3). */
import { Card, Logo, Name } from "../components/card.tsx";
import { ClientLinks, ClientWarning, RequestedAccess } from "../components/client-access.tsx";
import { ErrorSummary, PostForm } from "../components/form.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { ClientIdentityView, ClientView, FormTarget, PageShell } from "../shell.ts";

export interface DeviceCodeProps {
  form: FormTarget;
  userCode?: string | undefined;
  problem?: "unknown_code" | "too_many_attempts" | undefined;
}

/** Fields posted: `csrf`, `user_code`. */
export function renderDeviceCode(shell: PageShell, props: DeviceCodeProps): string {
  const { device: t } = translator(shell.locale);
  const { problem } = props;
  return renderPage(
    shell,
    <Card shell={shell} heading={t.title}>
      {problem ? <ErrorSummary message={t.problems[problem]} /> : null}
      <p>{t.explanation}</p>
      <PostForm {...props.form}>
        <div class="field">
          <label for="user_code">{t.userCode}</label>
          <input
            id="user_code"
            name="user_code"
            class="code"
            type="text"
            value={props.userCode}
            required
            autofocus
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            maxlength={32}
            aria-invalid={problem ? "true" : undefined}
            aria-describedby="user_code-hint"
          />
          <small id="user_code-hint">{t.hint}</small>
        </div>
        <button type="submit">{t.next}</button>
      </PostForm>
    </Card>,
    { title: t.title },
  );
}

export interface DeviceDecisionProps {
  form: FormTarget;
  client: ClientView;
  identity: ClientIdentityView;
  /** Who is signed in, as they know themselves. */
  user: string;
  userCode: string;
  scopes: readonly { name: string; description?: string | undefined }[];
  resources: readonly string[];
  /** Where the request came from, which tells a person who does not hold the device that something is wrong. */
  place: { address: string | undefined; device: string | undefined; sameNetwork: boolean };
  accountUrl: string;
}

/** Fields posted: `csrf`, `user_code`, `decision` (`allow` or `deny`). */
export function renderDeviceDecision(shell: PageShell, props: DeviceDecisionProps): string {
  const t = translator(shell.locale);
  const { client, identity, place } = props;
  return renderPage(
    shell,
    <Card
      shell={shell}
      showClient={false}
      heading={
        <>
          <span class="heading-logo">
            <Logo name={client.name} url={client.logoUrl} />
          </span>
          {t.device.decisionTitle(<bdi>{client.name}</bdi>)}
        </>
      }
    >
      <p class="muted">
        {t.consent.signedInAs(<Name>{props.user}</Name>)} <a href={props.accountUrl}>{t.account.title}</a>
      </p>
      <div class="alert" role="note">
        <p>{t.device.warning}</p>
      </div>
      <dl class="facts">
        <dt>{t.device.code}</dt>
        <dd>
          <code class="user-code">{props.userCode}</code>
        </dd>
        <dt>{t.device.from}</dt>
        <dd>
          {place.address ?? t.device.unknownPlace}
          {place.sameNetwork ? ` (${t.device.sameNetwork})` : ""}
        </dd>
        {place.device === undefined ? null : (
          <>
            <dt>{t.device.device}</dt>
            <dd>{place.device}</dd>
          </>
        )}
      </dl>
      <ClientWarning identity={identity} t={t} />
      <RequestedAccess scopes={props.scopes} resources={props.resources} t={t} />
      <PostForm {...props.form} hidden={{ user_code: props.userCode }}>
        <button type="submit" name="decision" value="allow">
          {t.consent.allow}
        </button>
        <button type="submit" name="decision" value="deny" class="secondary">
          {t.consent.deny}
        </button>
      </PostForm>
      <ClientLinks client={client} t={t} />
    </Card>,
    { title: t.device.title },
  );
}

/** The last page: the device goes on by itself. */
export function renderDeviceDone(shell: PageShell, { allowed }: { allowed: boolean }): string {
  const { device: t } = translator(shell.locale);
  const title = allowed ? t.allowedTitle : t.deniedTitle;
  return renderPage(
    shell,
    <Card shell={shell} heading={title}>
      <p>{allowed ? t.allowed : t.denied}</p>
    </Card>,
    { title },
  );
}
