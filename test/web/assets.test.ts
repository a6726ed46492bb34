import { describe, expect, it } from "bun:test";
import { assets, icon, script, stylesheet } from "../../src/web/assets.ts";
import { sha256 } from "../../src/lib/crypto.ts";

describe("assets of the hosted pages", () => {
  it("have a digest of their content in path and ETag, so that they may be cached for good", () => {
    for (const [path, asset] of assets) {
      const digest = sha256(asset.body).toString("hex").slice(0, 16);
      expect(path).toBe(asset.path);
      expect(path).toMatch(new RegExp(`^/assets/gatewright-${digest}\\.(css|svg|js)$`));
      expect(asset.etag).toBe(`"${digest}"`);
      expect(Bun.gunzipSync(asset.gzip)).toEqual(asset.body);
    }
  });

  it("are few and small", () => {
    expect([...assets.keys()]).toEqual([stylesheet.path, icon.path, script.path]);
    expect(stylesheet.gzip.length).toBeLessThan(16_000);
    expect(script.gzip.length).toBeLessThan(3_000);
  });

  it("are, of scripts, what a browser understands: no types, no imports", () => {
    const code = new TextDecoder().decode(script.body);
    expect(() => new Bun.Transpiler({ loader: "js" }).transformSync(code)).not.toThrow();
    expect(new Bun.Transpiler({ loader: "js" }).scanImports(code)).toEqual([]);
    expect(code).not.toMatch(/\beval\b|new Function|innerHTML|\bHTMLFormElement>/);
  });

  it("load nothing from elsewhere", () => {
    const css = new TextDecoder().decode(stylesheet.body);
    expect(css).not.toMatch(/@import|url\(["']?(?!["']?data:)/);
  });
});
