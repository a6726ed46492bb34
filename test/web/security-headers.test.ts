import { describe, expect, it } from "bun:test";
import { type PageHeaderOptions, pageHeaders } from "../../src/web/security-headers.ts";

describe("headers of a hosted page", () => {
  it("allow nothing but our own files and forms", () => {
    expect(policy({})).toEqual({
      "default-src": "'none'",
      "base-uri": "'none'",
      "object-src": "'none'",
      "frame-ancestors": "'none'",
      "img-src": "'self' data:",
      "style-src": "'self'",
      "form-action": "'self'",
    });
  });

  it("keep the page out of frames, caches and other sites' reach", () => {
    expect(pageHeaders({ https: true })).toMatchObject({
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
  });

  it("demand HTTPS from then on only where the page came by it", () => {
    expect(pageHeaders({ https: true })).toHaveProperty("strict-transport-security");
    expect(pageHeaders({ https: false })).not.toHaveProperty("strict-transport-security");
  });

  it("keep the Origin of posts to ourselves, and of the form_post to the application", () => {
    expect(pageHeaders({ https: true })["referrer-policy"]).toBe("same-origin");
    expect(pageHeaders({ https: true, formPost: true })["referrer-policy"]).toBe("strict-origin");
  });

  it("admit a script by its nonce alone", () => {
    expect(policy({ scriptNonce: "abcdefghijklmnop" })["script-src"]).toBe("'nonce-abcdefghijklmnop'");
    for (const nonce of ["short", "abcdefghijklmnop' *", "abcdefghijklmnop;x"]) {
      expect(() => policy({ scriptNonce: nonce })).toThrow(RangeError);
    }
  });

  it("admit our script file alone, by its whole address, and requests to ourselves", () => {
    const url = "http://localhost:3000/assets/gatewright-0123.js";
    expect(policy({ scriptUrl: url })).toMatchObject({ "script-src": url, "connect-src": "'self'" });
    expect(policy({})).not.toHaveProperty("script-src");
    expect(policy({})).not.toHaveProperty("connect-src");
    for (const bad of [
      "/assets/x.js",
      "https://a.example/x.js; script-src *",
      "https://a.example/x 'self'",
    ]) {
      expect(() => policy({ scriptUrl: bad })).toThrow(RangeError);
    }
  });

  it("admit inline styles only where mails are shown", () => {
    expect(policy({ inlineStyles: true })["style-src"]).toBe("'self' 'unsafe-inline'");
  });

  it("leave a popup its opener during an authorization request", () => {
    const headers = pageHeaders({ https: true, formActionTargets: [] });
    expect(headers["cross-origin-opener-policy"]).toBe("unsafe-none");
  });
});

describe("form-action of a page of an authorization request", () => {
  const cases: [target: string, sources: string][] = [
    ["https://app.example/callback?x=1", "'self' https: https://app.example"],
    ["http://127.0.0.1:5173/callback", "'self' https: http://127.0.0.1:5173"],
    ["http://localhost:3001/", "'self' https: http://localhost:3001"],
    ["http://[::1]:8080/callback", "'self' https: http:"],
    ["com.example.app:/oauth2redirect", "'self' https: com.example.app:"],
    ["javascript:alert(1)", "'self' https:"],
    ["data:text/html,x", "'self' https:"],
    ["not a url", "'self' https:"],
    ["https://evil.example;script-src/", "'self' https:"],
    ["https://evil.example,sandbox/", "'self' https:"],
  ];
  for (const [target, sources] of cases) {
    it(`for ${target} is ${sources}`, () => {
      expect(policy({ formActionTargets: [target] })["form-action"]).toBe(sources);
    });
  }

  it("allows applications in general when the target is not known yet", () => {
    expect(policy({ formActionTargets: [] })["form-action"]).toBe("'self' https:");
  });
});

describe("img-src", () => {
  it("names the origins of logos once, and of nothing that is not of the web", () => {
    const imgSources = [
      "https://cdn.example/a.png",
      "https://cdn.example/b.png",
      "javascript:x",
      "x",
      "blob:https://a/b",
    ];
    expect(policy({ imgSources })["img-src"]).toBe("'self' data: https://cdn.example");
  });
});

function policy(options: Partial<PageHeaderOptions>): Record<string, string> {
  const header = pageHeaders({ https: true, ...options })["content-security-policy"] ?? "";
  return Object.fromEntries(
    header.split("; ").map((directive) => {
      const [name = "", ...sources] = directive.split(" ");
      return [name, sources.join(" ")];
    }),
  );
}
