/** @jsxImportSource preact */
/** The frame around every page: the tenant above, one card, one heading. */
import type { ComponentChildren, JSX } from "preact";
import { translator } from "../messages/translator.ts";
import { type PageShell, safeWebUrl } from "../shell.ts";

export interface CardProps {
  shell: PageShell;
  heading: ComponentChildren;
  /** Whether to say which application the person is on the way to. */
  showClient?: boolean;
  /** Links below the card. */
  footer?: ComponentChildren;
  children?: ComponentChildren;
}

export function Card({ shell, heading, showClient = true, footer, children }: CardProps): JSX.Element {
  const { tenant, client } = shell;
  return (
    <>
      <header class="brand">
        <Logo name={tenant.name} url={tenant.logoUrl} />
        <bdi>{tenant.name}</bdi>
      </header>
      <main class="page">
        <article>
          <h1>{heading}</h1>
          {showClient && client ? (
            <p class="lead">{translator(shell.locale).continueTo(<Name>{client.name}</Name>)}</p>
          ) : null}
          {children}
        </article>
        {footer === undefined ? null : <p class="below">{footer}</p>}
      </main>
    </>
  );
}

/** A name that somebody chose: set apart, so that its direction and its words do not run into ours. */
export function Name({ children }: { children: string }): JSX.Element {
  return (
    <strong>
      <bdi>{children}</bdi>
    </strong>
  );
}

/** The logo, or the first letter of the name in its place; decoration beside the name. */
export function Logo({ name, url }: { name: string; url?: string | undefined }): JSX.Element {
  const src = safeWebUrl(url);
  if (src) return <img class="logo" src={src} alt="" width="40" height="40" referrerpolicy="no-referrer" />;
  const [initial = ""] = new Intl.Segmenter().segment(name.trim());
  return (
    <span class="logo" aria-hidden="true">
      {initial === "" ? "" : initial.segment.toLocaleUpperCase()}
    </span>
  );
}

export interface ButtonLinkProps {
  href: string;
  secondary?: boolean;
  children: ComponentChildren;
}

/** A link that looks like a button: the way on where nothing is changed by it. */
export function ButtonLink({ href, secondary, children }: ButtonLinkProps): JSX.Element {
  return (
    <a class={secondary ? "button secondary" : "button"} href={href}>
      {children}
    </a>
  );
}
