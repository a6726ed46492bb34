/** @jsxImportSource preact */
/**
 * A mail's content, and its two forms. Both are made from the same letter, so neither can say what the other does
 * not, and none can lack the link.
 */
import type { JSX } from "preact";
import { renderToString } from "preact-render-to-string";
import type { Locale } from "../../lib/locale.ts";

export interface Letter {
  subject: string;
  greeting: string;
  paragraphs: readonly string[];
  /** Label and value, one a line. */
  facts?: readonly (readonly [label: string, value: string])[];
  /** The one thing to do, if there is any. */
  action?: { label: string; url: string };
  /** Said before the address that stands below the button. */
  fallback: string;
  /** What to do when the mail was not expected, and the like. */
  closing: readonly string[];
  /** Who sent it. */
  signature: string;
}

export function letterText(letter: Letter): string {
  const facts = (letter.facts ?? []).map(([label, value]) => `${label}: ${value}`).join("\n");
  const blocks = [
    letter.greeting,
    ...letter.paragraphs,
    facts,
    letter.action ? `${letter.action.label}:\n${letter.action.url}` : "",
    ...letter.closing,
    `-- \n${letter.signature}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

export function letterHtml(letter: Letter, locale: Locale): string {
  return `<!doctype html>${renderToString(<LetterDocument letter={letter} locale={locale} />)}`;
}

/** Mail programs know no stylesheets: every rule is written where it applies. */
const styles = {
  body: "margin:0;padding:24px 12px;background:#f3f5f8;color:#2b3240;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif",
  card: "max-width:520px;margin:0 auto;padding:32px 28px;background:#ffffff;border:1px solid #dde2ea;border-radius:12px",
  paragraph: "margin:0 0 16px",
  button:
    "display:inline-block;padding:12px 22px;background:#1f4e79;border-radius:8px;color:#ffffff;font-weight:600;text-decoration:none",
  small: "margin:0 0 12px;color:#5a6474;font-size:14px",
  link: "color:#1f4e79;word-break:break-all",
  signature: "max-width:520px;margin:16px auto 0;color:#5a6474;font-size:13px;text-align:center",
};

function LetterDocument({ letter, locale }: { letter: Letter; locale: Locale }): JSX.Element {
  const { action } = letter;
  return (
    <html lang={locale}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{letter.subject}</title>
      </head>
      <body style={styles.body}>
        <div style={styles.card}>
          <p style={styles.paragraph}>{letter.greeting}</p>
          {letter.paragraphs.map((paragraph) => (
            <p style={styles.paragraph}>{paragraph}</p>
          ))}
          {letter.facts ? (
            <p style={styles.paragraph}>
              {letter.facts.map(([label, value]) => (
                <>
                  {label}: <b>{value}</b>
                  <br />
                </>
              ))}
            </p>
          ) : null}
          {action ? (
            <>
              <p style="margin:24px 0">
                <a href={action.url} style={styles.button}>
                  {action.label}
                </a>
              </p>
              <p style={styles.small}>
                {letter.fallback}
                <br />
                <a href={action.url} style={styles.link}>
                  {action.url}
                </a>
              </p>
            </>
          ) : null}
          {letter.closing.map((paragraph) => (
            <p style={styles.small}>{paragraph}</p>
          ))}
        </div>
        <p style={styles.signature}>{letter.signature}</p>
      </body>
    </html>
  );
}
