/** The files that pages refer to, served by us, so that pages work on a closed network and under their policy. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../lib/crypto.ts";
import { projectRoot } from "../lib/project-root.ts";

export interface Asset {
  /** Below the public URL. Holds a digest of the content: a changed file has a new path, so caches may keep it. */
  path: string;
  contentType: string;
  body: Uint8Array<ArrayBuffer>;
  /** The body for `Accept-Encoding: gzip`; send `Vary: Accept-Encoding` with either. */
  gzip: Uint8Array<ArrayBuffer>;
  /** Quoted, as the header wants it. */
  etag: string;
}

/** For every asset's response. */
export const assetCacheControl = "public, max-age=31536000, immutable";

/** Pico's rules for plain elements, then ours. */
export const stylesheet = asset(
  "gatewright.css",
  "text/css; charset=utf-8",
  [
    readFileSync(fileURLToPath(import.meta.resolve("@picocss/pico/css/pico.classless.min.css")), "utf8"),
    read("gatewright.css"),
    `@media (prefers-color-scheme: dark) { :root:not([data-theme]) { ${read("dark.css")} } }`,
    `:root[data-theme="dark"] { ${read("dark.css")} }`,
  ].join("\n"),
);

export const icon = asset("gatewright.svg", "image/svg+xml", read("gatewright.svg"));

/** Written in TypeScript like all else; browsers are served what is left of it without its types. */
export const script = asset(
  "gatewright.js",
  "text/javascript; charset=utf-8",
  new Bun.Transpiler({ loader: "ts", target: "browser", minifyWhitespace: true }).transformSync(
    read("assets/gatewright.ts"),
  ),
);

/** Every asset by its path. */
export const assets: ReadonlyMap<string, Asset> = new Map(
  [stylesheet, icon, script].map((entry) => [entry.path, entry] as const),
);

function asset(name: string, contentType: string, text: string): Asset {
  const body = new TextEncoder().encode(text);
  const digest = sha256(body).toString("hex").slice(0, 16);
  const path = `/assets/${name.replace(/(?=\.\w+$)/, `-${digest}`)}`;
  return { path, contentType, body, gzip: Bun.gzipSync(body), etag: `"${digest}"` };
}

function read(name: string): string {
  return readFileSync(join(projectRoot, "src", "web", name), "utf8");
}
