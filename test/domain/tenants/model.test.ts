import { describe, expect, it } from "bun:test";
import { issuerOf, isValidSlug, normalizeHost } from "../../../src/domain/tenants/model.ts";

describe("a tenant's slug", () => {
  it.each(["a", "acme", "acme-2", "0", "a--b", "x".repeat(63)])("may be %s", (slug) => {
    expect(isValidSlug(slug)).toBe(true);
  });

  it.each([
    "",
    "-acme",
    "acme-",
    "Acme",
    "acme_2",
    "acme.example",
    "acme/evil",
    "..",
    "%2e%2e",
    "acmé",
    "acme\n",
    "acme ",
    "x".repeat(64),
  ])("may not be %p", (slug) => {
    expect(isValidSlug(slug)).toBe(false);
  });

  it.each(["t", "api", "admin", "oauth", "saml", "scim", "docs", "dev", "assets"])(
    "may not be %s, which a path of ours means already",
    (slug) => {
      expect(isValidSlug(slug)).toBe(false);
    },
  );
});

describe("a host name", () => {
  it.each([
    ["login.acme.example", "login.acme.example"],
    ["LOGIN.Acme.Example", "login.acme.example"],
    ["login.acme.example:443", "login.acme.example"],
    ["login.acme.example.", "login.acme.example"],
    ["login.acme.example.:8443", "login.acme.example"],
    ["[::1]:3000", "[::1]"],
    ["[::1]", "[::1]"],
    ["", ""],
  ])("%p is compared as %p", (host, normalized) => {
    expect(normalizeHost(host)).toBe(normalized);
  });
});

describe("a tenant's issuer", () => {
  const publicUrl = "https://id.example/base";
  it("is PUBLIC_URL for the default one, whatever domains it has", () => {
    expect(issuerOf({ isDefault: true, slug: "default", domains: ["x.example"] }, publicUrl)).toBe(publicUrl);
  });
  it("is the first domain of another one", () => {
    const tenant = { isDefault: false, slug: "acme", domains: ["a.example", "b.example"] };
    expect(issuerOf(tenant, publicUrl)).toBe("https://a.example");
  });
  it("is a path under PUBLIC_URL where there is no domain", () => {
    expect(issuerOf({ isDefault: false, slug: "acme", domains: [] }, publicUrl)).toBe(
      "https://id.example/base/t/acme",
    );
  });
});
