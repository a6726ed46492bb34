/**
 * A browser without a window: keeps cookies, follows redirects one by one, fills forms. It stands for the person
 * where the pages themselves are not what is tested; `test/browser` uses a real one.
 */

/** Where the browser has come to: a page of the server, or an address elsewhere that it was sent to. */
export interface Visit {
  readonly url: URL;
  /** The page's status; 0 for an address elsewhere, which is not opened. */
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  readonly forms: readonly Form[];
}

export interface Form {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface HttpBrowser {
  readonly cookies: Map<string, string>;
  open(url: string | URL): Promise<Visit>;
  /** Sends the page's form of this action, with what the page filled in and `fields` over it. */
  submit(page: Visit, action: string, fields?: Record<string, string>): Promise<Visit>;
  /** A form post that another site makes the browser send: without its SameSite=Lax cookies. */
  postFromElsewhere(url: string | URL, fields: Record<string, string> | URLSearchParams): Promise<Visit>;
}

const MAX_REDIRECTS = 10;

/** @param home the server's origin: what lies elsewhere is not opened */
export function createHttpBrowser(
  home: string,
  options: { cookies?: Record<string, string> } = {},
): HttpBrowser {
  const cookies = new Map<string, string>(Object.entries(options.cookies ?? {}));
  const origin = new URL(home).origin;

  async function send(url: URL, init: RequestInit & { withCookies: boolean }): Promise<Visit> {
    let next = url;
    let { withCookies, ...request } = init;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      if (next.origin !== origin) return elsewhere(next);
      const headers = new Headers(request.headers);
      headers.set("accept", "text/html,application/xhtml+xml");
      headers.set("accept-language", "en");
      if (withCookies)
        headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      const response = await fetch(next, { ...request, headers, redirect: "manual" });
      for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie);
      const location = response.headers.get("location");
      if (location === null) return pageOf(next, response);
      if (request.method === "POST" && response.status !== 303)
        throw new Error(`a form was answered with a redirect of status ${response.status}, not 303`);
      next = new URL(location, next);
      request = {};
      withCookies = true;
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects`);
  }

  const post = (url: URL, fields: URLSearchParams, from: { origin: string; site: string }) =>
    send(url, {
      method: "POST",
      body: fields.toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        origin: from.origin,
        "sec-fetch-site": from.site,
      },
      withCookies: from.site === "same-origin",
    });

  return {
    cookies,
    open: (url) => send(new URL(url, origin), { withCookies: true }),
    submit(page, action, fields = {}) {
      const form = page.forms.find((candidate) => candidate.action === action);
      if (!form) throw new Error(`${page.url.pathname} (${page.status}) has no form of action ${action}`);
      const filled = new URLSearchParams({ ...form.fields, ...fields });
      return post(new URL(action, page.url), filled, { origin, site: "same-origin" });
    },
    postFromElsewhere: (url, fields) =>
      post(new URL(url), new URLSearchParams(fields), {
        origin: "https://elsewhere.example",
        site: "cross-site",
      }),
  };
}

function elsewhere(url: URL): Visit {
  return { url, status: 0, headers: new Headers(), html: "", forms: [] };
}

async function pageOf(url: URL, response: Response): Promise<Visit> {
  const html = await response.text();
  return { url, status: response.status, headers: response.headers, html, forms: formsOf(html) };
}

function keep(cookies: Map<string, string>, header: string): void {
  const [pair = "", ...attributes] = header.split(/; */);
  const separator = pair.indexOf("=");
  const name = pair.slice(0, separator);
  if (attributes.includes("Max-Age=0")) cookies.delete(name);
  else cookies.set(name, pair.slice(separator + 1));
}

/** The forms of a page with what a browser would send of each if nobody touched it. */
function formsOf(html: string): Form[] {
  const forms: { action: string; fields: Record<string, string> }[] = [];
  new HTMLRewriter()
    .on("form", {
      element(form) {
        forms.push({ action: decodeEntities(form.getAttribute("action")), fields: {} });
      },
    })
    .on("form input[name]", {
      element(input) {
        const unchecked = input.getAttribute("type") === "checkbox" && !input.hasAttribute("checked");
        const name = decodeEntities(input.getAttribute("name"));
        const form = forms.at(-1);
        if (form && !unchecked) form.fields[name] = decodeEntities(input.getAttribute("value"));
      },
    })
    .transform(html);
  return forms;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function decodeEntities(text: string | null): string {
  return (text ?? "").replace(/&(amp|lt|gt|quot|#39);/g, (entity, name: string) => ENTITIES[name] ?? entity);
}
