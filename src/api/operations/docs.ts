/** The API's description, generated from the routes, and a page to read it on. All of it is served by us. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { swagger } from "@elysiajs/swagger";
import { Elysia, t } from "elysia";
import packageJson from "../../../package.json" with { type: "json" };
import type { Deps } from "../../deps.ts";
import { commonErrors, publicRoute } from "../../http/models.ts";
import { notFound } from "../../lib/errors.ts";

/** Where the plugin puts its own page, which loads its script from a CDN: out of the way, and switched off below. */
const PLUGIN_PAGE = "/docs/plugin";

const description = (deps: Deps) =>
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
        description: "An identity server: OAuth 2.1, OpenID Connect and the accounts behind them.",
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
          bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "An access token" },
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

export const docsRoutes = (deps: Deps) =>
  new Elysia({ name: "docs" })
    .use(description(deps))
    .get(
      PLUGIN_PAGE,
      () => {
        throw notFound("There is nothing at this path.");
      },
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
