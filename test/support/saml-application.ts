/** An application that people sign in to by SAML, as they see it: pages, and behind them `@node-saml/node-saml`. */
import { type Profile, ValidateInResponseTo } from "@node-saml/node-saml";
import type { SamlClientRequest } from "../../src/domain/saml-idp/service.ts";
import { freePort } from "./free-port.ts";
import { registerServiceProvider, type ServiceProvider } from "./saml-service-provider.ts";
import type { TestServer } from "./server.ts";

export interface SamlApplication {
  /** Opening it shows links: to sign in by the redirect binding, by the POST binding, and to sign out. */
  readonly url: string;
  readonly sp: ServiceProvider;
  stop(): Promise<void>;
}

/** What it learns is shown on the page that the browser ends at: `#claims` of a sign-in, `#bye` of a logout. */
export async function startSamlApplication(
  server: TestServer,
  input: Partial<SamlClientRequest> = {},
): Promise<SamlApplication> {
  const url = `http://localhost:${freePort()}`;
  const sp = await registerServiceProvider(server, input, {
    at: url,
    saml: {
      validateInResponseTo: input.allow_idp_initiated
        ? ValidateInResponseTo.ifPresent
        : ValidateInResponseTo.always,
    },
  });
  let signedIn: Profile | undefined;
  const listening = Bun.serve({
    port: new URL(url).port,
    hostname: "localhost",
    async fetch(request) {
      const { pathname, searchParams, search } = new URL(request.url);
      switch (pathname) {
        case "/login":
          return Response.redirect(await sp.saml.getAuthorizeUrlAsync("deep-link", undefined, {}), 302);
        case "/login-post":
          return page(await autoForm(sp));
        case "/acs": {
          const fields = fieldsOf(await request.formData());
          const { profile } = await sp.saml.validatePostResponseAsync(fields);
          signedIn = profile ?? undefined;
          return shown("claims", { ...profile, relay_state: fields["RelayState"] });
        }
        case "/logout":
          if (!signedIn) return page("nobody", 404);
          return Response.redirect(await sp.saml.getLogoutUrlAsync(signedIn, "", {}), 302);
        case "/slo": {
          const { profile } = await sp.saml.validateRedirectAsync(
            Object.fromEntries(searchParams),
            search.slice(1),
          );
          signedIn = undefined;
          if (!searchParams.has("SAMLRequest") || !profile) return shown("bye", { bye: true });
          const relayState = searchParams.get("RelayState") ?? "";
          return Response.redirect(
            await sp.saml.getLogoutResponseUrlAsync(profile, relayState, {}, true),
            302,
          );
        }
        default:
          return page(
            '<a href="/login">Sign in</a> <a href="/login-post">Sign in by form</a> <a href="/logout">Sign out</a>',
          );
      }
    },
  });
  return { url, sp, stop: () => listening.stop(true) };
}

async function autoForm(sp: ServiceProvider): Promise<string> {
  sp.saml.options.skipRequestCompression = true;
  const message = await sp.saml.getAuthorizeMessageAsync("deep-link");
  sp.saml.options.skipRequestCompression = false;
  const inputs = Object.entries(message).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${Bun.escapeHTML(String(value))}">`,
  );
  return `<form method="post" action="${sp.saml.options.entryPoint}">${inputs.join("")}<button>Go</button></form>`;
}

function fieldsOf(form: FormData): Record<string, string> {
  const fields: Record<string, string> = {};
  form.forEach((value, name) => {
    fields[name] = String(value);
  });
  return fields;
}

const shown = (id: string, value: unknown) =>
  page(`<pre id="${id}">${Bun.escapeHTML(JSON.stringify(value))}</pre>`);

function page(content: string, status = 200): Response {
  const html = `<!doctype html><html lang="en"><title>Expenses</title><link rel="icon" href="data:,">${content}</html>`;
  return new Response(html, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}
