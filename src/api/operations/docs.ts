/** The API's description, generated from the routes, and a page to read it on. All of it is served by us. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AnyElysia, Elysia, t } from "elysia";
import packageJson from "../../../package.json" with { type: "json" };
import type { Deps } from "../../deps.ts";
import { commonErrors, publicRoute } from "../../http/models.ts";
import { notFound } from "../../lib/errors.ts";

/** Where the plugin puts its own page, which loads its script from a CDN and which nobody asks for. */
const PLUGIN_PAGE = "/docs/plugin";

type Routes = AnyElysia["routes"];

/**
 * An app that has every route, to be described and never called. The plugin and what it brings along are loaded with the first
 * question: most servers are never asked for their description.
 */
async function describedApp(deps: Deps, routes: Routes): Promise<AnyElysia> {
  const { swagger } = await import("@elysiajs/swagger");
  const app: AnyElysia = new Elysia();
  for (const { method, path, hooks } of routes) {
    const { detail, parse, body, query, params, headers, response } = hooks;
    app.route(method, path, () => undefined, { detail, parse, body, query, params, headers, response });
  }
  return app.use(description(deps, swagger));
}

const description = (deps: Deps, swagger: typeof import("@elysiajs/swagger").swagger) =>
  swagger({
    path: PLUGIN_PAGE,
    specPath: "/docs/json",
    exclude: [PLUGIN_PAGE, "/docs/json"],
    // It takes every path with a dot for a file, the well-known ones too.
    excludeStaticFile: false,
    documentation: {
      info: {
        title: "Gatewright",
        version: packageJson.version,
        description:
          "An identity server: OAuth 2.1, OpenID Connect and the accounts behind them.\n\nEvery POST under `/api/v1`, `/me` and `/register` takes an `Idempotency-Key` of 1 to 255 visible ASCII characters. Sent again within a day, the request is answered as the first time, with `Idempotency-Replayed: true`; 409 `idempotency_in_progress` while the first one is under way, 422 `idempotency_key_reused` for a key that was another request's.",
      },
      // The order in which a reader wants them.
      tags: [
        "Account",
        "OAuth",
        "OpenID Connect",
        "Discovery",
        "Hosted pages",
        "Operations",
        "Development",
      ].map((name) => ({ name })),
      servers: [{ url: deps.config.publicUrl }],
      components: {
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description: "An access token or an API key",
          },
          clientSecretBasic: { type: "http", scheme: "basic", description: "client_id and client_secret" },
          scimToken: {
            type: "http",
            scheme: "bearer",
            description: "A SCIM token of a tenant or organization",
          },
          metricsToken: { type: "http", scheme: "bearer", description: "GATEWRIGHT_METRICS_TOKEN" },
        },
      },
    },
  });

const files = new Map<string, { path: string; contentType: string }>(
  (
    [
      ["swagger-ui.css", "text/css; charset=utf-8"],
      ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
    ] as const
  ).map(([name, contentType]) => [
    name,
    { path: fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)), contentType },
  ]),
);

/** The reader builds its page with inline styles, and loads nothing but from us. */
const pagePolicy = [
  "default-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
].join("; ");

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Gatewright API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/docs/files/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/files/swagger-ui-bundle.js"></script>
    <script src="/docs/files/start.js"></script>
  </body>
</html>
`;

const startScript = `SwaggerUIBundle({ url: "/docs/json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });\n`;

const Html = t.String({ description: "An HTML page" });
const detail = (summary: string) => ({ summary, tags: ["Operations"], security: publicRoute });

/** @param routes all of the server's, as soon as they are joined */
export const docsRoutes = (deps: Deps, routes: () => Routes) => {
  let described: Promise<AnyElysia> | undefined;
  return new Elysia({ name: "docs" })
    .get(
      "/docs/json",
      async ({ request }) => (await (described ??= describedApp(deps, routes()))).handle(request),
      { detail: { hide: true, security: publicRoute } },
    )
    .get(
      "/docs",
      () =>
        new Response(page, {
          headers: {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": pagePolicy,
            "x-content-type-options": "nosniff",
          },
        }),
      { response: { 200: Html }, detail: detail("The API's description, to read") },
    )
    .get(
      "/docs/files/:name",
      ({ params: { name } }) => {
        const headers = { "cache-control": "public, max-age=3600", "x-content-type-options": "nosniff" };
        if (name === "start.js") {
          return new Response(startScript, {
            headers: { ...headers, "content-type": "text/javascript; charset=utf-8" },
          });
        }
        const file = files.get(name);
        if (!file) throw notFound("There is no such file.");
        return new Response(readFileSync(file.path), {
          headers: { ...headers, "content-type": file.contentType },
        });
      },
      {
        params: t.Object({ name: t.String({ maxLength: 64 }) }),
        response: { 200: t.String({ description: "A style sheet or a script" }), ...commonErrors },
        detail: detail("A file of the description's page"),
      },
    );
};
