import { Elysia, t } from "elysia";
import { matchesEtag } from "../http/etag.ts";
import { commonErrors, publicRoute } from "../http/models.ts";
import { notFound } from "../lib/errors.ts";
import { assetCacheControl, assets } from "./assets.ts";
import { themeStylesheet } from "./theme.ts";

const coloursHeaders = {
  "content-type": "text/css; charset=utf-8",
  "cache-control": assetCacheControl,
  "x-content-type-options": "nosniff",
};

export const assetRoutes = new Elysia({ name: "web-assets" }).get(
  "/assets/:name",
  ({ params: { name }, request }) => {
    const path = `/assets/${name}`;
    const asset = assets.get(path);
    const colours = asset ? undefined : themeStylesheet(path);
    if (colours !== undefined) return new Response(colours, { headers: coloursHeaders });
    if (!asset) throw notFound("There is no such file.");
    const zipped = request.headers.get("accept-encoding")?.includes("gzip") ?? false;
    const headers = {
      "content-type": asset.contentType,
      "cache-control": assetCacheControl,
      etag: asset.etag,
      vary: "Accept-Encoding",
      "x-content-type-options": "nosniff",
    };
    if (matchesEtag(request.headers.get("if-none-match"), asset.etag))
      return new Response(null, { status: 304, headers });
    return new Response(zipped ? asset.gzip : asset.body, {
      headers: zipped ? { ...headers, "content-encoding": "gzip" } : headers,
    });
  },
  {
    params: t.Object({ name: t.String({ maxLength: 128 }) }),
    response: { 200: t.String({ description: "A style sheet or a picture" }), ...commonErrors },
    detail: { summary: "A file of the hosted pages", tags: ["Hosted pages"], security: publicRoute },
  },
);
