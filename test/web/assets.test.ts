import { describe, expect, it } from "bun:test";
import { assets, icon, stylesheet } from "../../src/web/assets.ts";
import { sha256 } from "../../src/lib/crypto.ts";

describe("assets of the hosted pages", () => {
  it("have a digest of their content in path and ETag, so that they may be cached for good", () => {
    for (const [path, asset] of assets) {
      const digest = sha256(asset.body).toString("hex").slice(0, 16);
      expect(path).toBe(asset.path);
      expect(path).toMatch(new RegExp(`^/assets/gatewright-${digest}\\.(css|svg)$`));
      expect(asset.etag).toBe(`"${digest}"`);
      expect(Bun.gunzipSync(asset.gzip)).toEqual(asset.body);
    }
  });

  it("are few and small", () => {
    expect([...assets.keys()]).toEqual([stylesheet.path, icon.path]);
    expect(stylesheet.gzip.length).toBeLessThan(16_000);
  });

  it("load nothing from elsewhere", () => {
    const css = new TextDecoder().decode(stylesheet.body);
    expect(css).not.toMatch(/@import|url\(["']?(?!["']?data:)/);
  });
});
