/** @jsxImportSource preact */
/** From a component to the text of a response. */
import type { VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import { icon, script as scriptFile, stylesheet } from "./assets.ts";
import type { PageShell } from "./shell.ts";
import { ImpersonationBanner } from "./components/impersonation-banner.tsx";
import { themeStylesheetPath } from "./theme.ts";

export interface DocumentOptions {
  title: string;
  /** For pages that need more room than a form, such as lists. */
  wide?: boolean;
  /** One inline script; its nonce has to be in the response's policy, too (`pageHeaders`). */
  script?: { nonce: string; code: string };
  /** Whether the page uses our script file (`respondWithPage` has to admit it, too). */
  withScript?: boolean;
  /** Where the page goes by itself after a while, without a script. */
  refresh?: { seconds: number; url: string };
}

/** A whole HTML document around `content`. Everything that is not a component's own markup arrives escaped. */
export function renderPage(
  shell: PageShell,
  content: VNode,
  { title, wide, script, withScript, refresh }: DocumentOptions,
): string {
  const { theme } = shell.tenant;
  const colours = theme && themeStylesheetPath(theme);
  return `<!doctype html>${renderToString(
    <html
      lang={shell.locale}
      class={theme && `theme-${theme.name}`}
      data-theme={theme?.name === "dark" ? "dark" : undefined}
    >
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme?.name === "dark" ? "dark" : "light dark"} />
        <meta name="robots" content="noindex" />
        {refresh ? <meta http-equiv="refresh" content={`${refresh.seconds};url=${refresh.url}`} /> : null}
        <title>{`${title} – ${shell.tenant.name}`}</title>
        <link rel="icon" type="image/svg+xml" href={shell.basePath + icon.path} />
        <link rel="stylesheet" href={shell.basePath + stylesheet.path} />
        {colours ? <link rel="stylesheet" href={shell.basePath + colours} /> : null}
      </head>
      <body class={wide ? "wide" : undefined}>
        {shell.impersonation ? <ImpersonationBanner locale={shell.locale} {...shell.impersonation} /> : null}
        {content}
        {withScript ? <script type="module" src={shell.basePath + scriptFile.path} /> : null}
        {script ? <script nonce={script.nonce} dangerouslySetInnerHTML={{ __html: script.code }} /> : null}
      </body>
    </html>,
  )}`;
}
