/** @jsxImportSource preact */
import type { JSX } from "preact";
import { Card } from "../components/card.tsx";
import { translator } from "../messages/translator.ts";
import { renderPage } from "../render.tsx";
import type { PageShell } from "../shell.ts";

export interface MailboxEntry {
  id: string;
  to: string;
  subject: string;
  createdAt: Date;
  /** The page with this message open. */
  url: string;
}

export interface MailboxMessage {
  id: string;
  to: string;
  subject: string;
  createdAt: Date;
  text: string;
  html: string;
}

export interface MailboxProps {
  /** Newest first. */
  messages: readonly MailboxEntry[];
  selected?: MailboxMessage | undefined;
}

/** The mails of a development server. Needs `pageHeaders({ inlineStyles: true })`. */
export function renderMailbox(shell: PageShell, props: MailboxProps): string {
  return renderPage(shell, <Mailbox shell={shell} {...props} />, {
    title: translator(shell.locale).mailbox.title,
    wide: true,
  });
}

function Mailbox({ shell, messages, selected }: MailboxProps & { shell: PageShell }): JSX.Element {
  const { mailbox: t } = translator(shell.locale);
  return (
    <Card shell={shell} heading={t.title} showClient={false}>
      <p class="muted">{t.explanation}</p>
      <div class="mailbox">
        <nav aria-label={t.messages}>
          {messages.length === 0 ? <p>{t.empty}</p> : null}
          <ul class="message-list">
            {messages.map((message) => (
              <li>
                <a href={message.url} aria-current={message.id === selected?.id ? "true" : undefined}>
                  <b>{message.subject}</b>
                  <small>{message.to}</small>
                  <small>
                    <Time of={message.createdAt} />
                  </small>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        {selected ? <Message shell={shell} message={selected} /> : null}
        {!selected && messages.length > 0 ? <p>{t.choose}</p> : null}
      </div>
    </Card>
  );
}

function Message({ shell, message }: { shell: PageShell; message: MailboxMessage }): JSX.Element {
  const { mailbox: t } = translator(shell.locale);
  return (
    <section aria-labelledby="message-subject">
      <h2 id="message-subject">{message.subject}</h2>
      <dl class="facts">
        <dt>{t.to}</dt>
        <dd>{message.to}</dd>
        <dt>{t.received}</dt>
        <dd>
          <Time of={message.createdAt} />
        </dd>
      </dl>
      <h3>{t.text}</h3>
      <pre>{withLinks(message.text)}</pre>
      <h3>{t.html}</h3>
      <iframe title={t.html} sandbox={FRAME_SANDBOX} srcdoc={FRAME_HEAD + message.html} />
    </section>
  );
}

/** Its links may be followed, in a window of their own; nothing else is allowed, scripts least of all. */
const FRAME_SANDBOX = "allow-popups allow-popups-to-escape-sandbox";

/**
 * Put before the mail, where its own markup cannot take it back. The frame is held by the page's policy as well; this
 * one is narrower and keeps working should the page's ever be loosened.
 */
const FRAME_HEAD = `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><meta name="referrer" content="no-referrer"><base target="_blank">`;

function Time({ of }: { of: Date }): JSX.Element {
  const iso = of.toISOString();
  return <time datetime={iso}>{iso.slice(0, 19).replace("T", " ")} UTC</time>;
}

/** Web addresses in a plain text as links. A full stop or bracket that ends a sentence is not part of one. */
function withLinks(text: string): (string | JSX.Element)[] {
  return text.split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/).map((part, index) =>
    index % 2 === 1 ? (
      <a href={part} rel="noreferrer">
        {part}
      </a>
    ) : (
      part
    ),
  );
}
