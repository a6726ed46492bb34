import { describe, expect, it } from "bun:test";
import {
  isClientIdentifierUrl,
  isTemporaryFailure,
  metadataLifetimeSeconds,
  readMetadataDocument,
} from "../../../src/protocol/oauth/client-id-metadata-document.ts";
import { clientIdentity } from "../../../src/protocol/oauth/client-identity.ts";

const URL = "https://client.example/app.json";
const sound = { client_id: URL, client_name: "App", redirect_uris: ["https://client.example/cb"] };

const fetched = (body: unknown, changes: { status?: number; type?: string } = {}) => ({
  status: changes.status ?? 200,
  headers: { "content-type": changes.type ?? "application/json" },
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
});
const isRead = (...of: Parameters<typeof fetched>) =>
  readMetadataDocument(URL, fetched(...of), ["openid"]).ok;

describe("Client ID Metadata Document §3: the URL", () => {
  it.each([
    URL,
    "https://client.example/",
    "https://client.example:8443/a/b",
    "https://client.example/a?b=c",
  ])("%s is one", (url) => {
    expect(isClientIdentifierUrl(url)).toBe(true);
  });

  it.each([
    "client_01",
    "http://client.example/app.json",
    "https://client.example",
    "https://user@client.example/app.json",
    "https://user:pass@client.example/app.json",
    "https://@client.example/app.json",
    "https://client.example/app.json#",
    "https://client.example/app.json#x",
    "https://client.example/a/../app.json",
    "https://client.example/./app.json",
    "https://client.example/a/%2e%2e/app.json",
    "https://client.example/a/.",
    "https://CLIENT.example/app.json",
    "HTTPS://client.example/app.json",
    "https://client.example:443/app.json",
    "https:/client.example/app.json",
    "https:\\\\client.example\\app.json",
    "https://client.example/a b",
    "https://client.example/\u00fc",
    "https://client.example/a\n",
    "https://0x7f.1/app.json",
    `https://client.example/${"x".repeat(512)}`,
    "",
  ])("%j is none", (url) => {
    expect(isClientIdentifierUrl(url)).toBe(false);
  });
});

describe("Client ID Metadata Document §4, §5: the document", () => {
  it("is JSON of that client", () => {
    expect(isRead(sound)).toBe(true);
    expect(isRead(sound, { type: "application/oauth-client+json; charset=utf-8" })).toBe(true);
  });

  it.each([201, 204, 301, 302, 307, 404, 500])("is none with status %d", (status) => {
    expect(isRead(sound, { status })).toBe(false);
  });

  it.each(["text/html", "text/plain", "application/octet-stream", "", "application/jsonp"])(
    "is none of type %j",
    (type) => {
      expect(isRead(sound, { type })).toBe(false);
    },
  );

  it.each([
    ["another client_id", { ...sound, client_id: "https://client.example/other.json" }],
    ["an equivalent client_id", { ...sound, client_id: "https://client.example:443/app.json" }],
    ["no client_id", { ...sound, client_id: undefined }],
    ["a list of client_ids", { ...sound, client_id: [URL] }],
    ["no name", { ...sound, client_name: undefined }],
    ["no redirect URIs", { ...sound, redirect_uris: undefined }],
    ["a secret", { ...sound, client_secret: "s" }],
    ["a secret's expiry", { ...sound, client_secret_expires_at: 0 }],
    ["secret authentication", { ...sound, token_endpoint_auth_method: "client_secret_post" }],
    ["a list", [sound]],
    ["nothing", ""],
    ["no JSON", "<html>"],
  ])("is refused with %s", (_what, body) => {
    expect(isRead(body)).toBe(false);
  });

  it("is refused when it is not UTF-8", () => {
    const body = Buffer.from(JSON.stringify({ ...sound, client_name: "App\u00fc" }), "latin1");
    expect(readMetadataDocument(URL, { ...fetched(sound), body }, []).ok).toBe(false);
  });
});

describe("Client ID Metadata Document §5.2: caching", () => {
  it.each([
    [undefined, 3600],
    ["max-age=7200", 7200],
    ["public, Max-Age=7200", 7200],
    ["max-age=1", 300],
    ["max-age=99999999", 86_400],
    ["no-store", 300],
    ["no-cache, max-age=7200", 300],
    ["max-age=soon", 3600],
  ])("%j is kept for %d seconds", (value, seconds) => {
    expect(metadataLifetimeSeconds(value === undefined ? {} : { "cache-control": value })).toBe(seconds);
  });

  it("counts the time that it has been in other caches (RFC 9111 §4.2.3)", () => {
    expect(metadataLifetimeSeconds({ "cache-control": "max-age=7200", age: "3600" })).toBe(3600);
  });

  it("tells a server in trouble from a document that is gone", () => {
    expect([500, 503, 429, 408, 200, 404, 410, 302].map(isTemporaryFailure)).toEqual([
      ...[true, true, true, true],
      ...[false, false, false, false],
    ]);
  });
});

describe("Who asks for consent (§8.5; MCP: localhost redirect URI risks)", () => {
  const client = { clientId: URL, origin: "metadata_document", redirectUris: ["http://127.0.0.1/cb"] };

  it("is the host of the client_id, and where the answer goes", () => {
    expect(clientIdentity(client, "http://127.0.0.1:4711/cb")).toEqual({
      vouchedFor: false,
      host: "client.example",
      destination: "127.0.0.1:4711",
      onlyLocal: true,
    });
  });

  it("is only local when all redirect URIs are", () => {
    const mixed = { ...client, redirectUris: ["http://localhost/cb", "https://client.example/cb"] };
    expect(clientIdentity(mixed, "http://localhost:1/cb").onlyLocal).toBe(false);
  });

  it("is vouched for when an administrator made it", () => {
    const made = { clientId: "client_01", origin: "administrator", redirectUris: ["com.example.app:/cb"] };
    expect(clientIdentity(made, "com.example.app:/cb")).toEqual({
      vouchedFor: true,
      host: null,
      destination: "com.example.app:",
      onlyLocal: false,
    });
    expect(clientIdentity({ ...made, origin: "dynamic" }, "com.example.app:/cb").vouchedFor).toBe(false);
  });
});
