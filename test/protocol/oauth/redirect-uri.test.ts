import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { isRegisteredRedirectUri, redirectUriProblem } from "../../../src/protocol/oauth/redirect-uri.ts";

const native = (uri: string) => ({ redirectUris: [uri], applicationType: "native" as const });

describe("redirect_uri of a request (RFC 9700 §4.1.3)", () => {
  const registered = "https://client.example.com/cb?from=here";
  const client = { redirectUris: [registered], applicationType: "web" as const };

  it("is taken when it is the registered one", () => {
    expect(isRegisteredRedirectUri(registered, client)).toBe(true);
  });

  it("is refused when it differs in anything, even if a URL parser finds it the same", () => {
    for (const uri of [
      "https://client.example.com/cb",
      "https://client.example.com/cb?from=here&more=1",
      "https://client.example.com/cb/?from=here",
      "https://client.example.com/a/../cb?from=here",
      "https://client.example.com/%63b?from=here",
      "https://client.example.com:443/cb?from=here",
      "https://CLIENT.example.com/cb?from=here",
      "HTTPS://client.example.com/cb?from=here",
      "https://user@client.example.com/cb?from=here",
      "https://client.example.com.attacker.example/cb?from=here",
      "https://client.example.com/cb?from=here#",
      "https://client.example.com/cb?from=here ",
      "http://client.example.com/cb?from=here",
      "",
    ])
      expect([uri, isRegisteredRedirectUri(uri, client)]).toEqual([uri, false]);
  });

  it("is refused whatever else it is", () => {
    fc.assert(
      fc.property(fc.webUrl(), (uri) => isRegisteredRedirectUri(uri, client) === (uri === registered)),
    );
  });
});

describe("loopback redirect_uri of a native client (RFC 8252 §7.3)", () => {
  it("may have any port", () => {
    expect(isRegisteredRedirectUri("http://127.0.0.1:51004/cb?a=1", native("http://127.0.0.1/cb?a=1"))).toBe(
      true,
    );
    expect(isRegisteredRedirectUri("http://127.0.0.1/cb", native("http://127.0.0.1:8080/cb"))).toBe(true);
    expect(isRegisteredRedirectUri("http://[::1]:61023", native("http://[::1]"))).toBe(true);
  });

  it("must agree in everything else", () => {
    for (const uri of [
      "http://127.0.0.1:51004/other",
      "http://127.0.0.1:51004/cb?a=1",
      "http://127.0.0.1:51004",
      "http://[::1]:51004/cb",
      "http://127.0.0.2:51004/cb",
      "http://127.1:51004/cb",
      "https://127.0.0.1:51004/cb",
      "http://127.0.0.1:0/cb",
      "http://127.0.0.1:65536/cb",
      "http://127.0.0.1:80@attacker.example/cb",
      "http://127.0.0.1:51004.attacker.example/cb",
    ])
      expect([uri, isRegisteredRedirectUri(uri, native("http://127.0.0.1/cb"))]).toEqual([uri, false]);
  });

  it("may be localhost where that is what is registered, and nothing in the place of it (§8.3)", () => {
    expect(isRegisteredRedirectUri("http://localhost:51004/cb", native("http://localhost/cb"))).toBe(true);
    for (const uri of [
      "http://127.0.0.1:51004/cb",
      "http://localhost.attacker.example:51004/cb",
      "http://localhost:51004@attacker.example/cb",
      "http://LOCALHOST:51004/cb",
    ])
      expect([uri, isRegisteredRedirectUri(uri, native("http://localhost/cb"))]).toEqual([uri, false]);
    expect(isRegisteredRedirectUri("http://localhost:51004/cb", native("http://127.0.0.1/cb"))).toBe(false);
  });

  it("is not a matter of web clients", () => {
    const web = { redirectUris: ["http://127.0.0.1/cb"], applicationType: "web" as const };
    expect(isRegisteredRedirectUri("http://127.0.0.1:51004/cb", web)).toBe(false);
  });
});

describe("redirect_uri at registration", () => {
  it("takes https, and http to the own machine", () => {
    for (const uri of [
      "https://client.example.com/cb",
      "https://client.example.com:8443/cb?tenant=a",
      "http://localhost:3000/cb",
      "http://127.0.0.1/cb",
      "http://[::1]:8080/cb",
    ])
      for (const type of ["web", "native"] as const)
        expect([uri, redirectUriProblem(uri, type)]).toEqual([uri, undefined]);
  });

  it("takes a private-use scheme with a dot of native clients only (RFC 8252 §7.1)", () => {
    expect(redirectUriProblem("com.example.app:/oauth2redirect", "native")).toBeUndefined();
    expect(redirectUriProblem("com.example.app:/oauth2redirect", "web")).toBeString();
    expect(redirectUriProblem("myapp:/oauth2redirect", "native")).toBeString();
  });

  it("refuses what is no safe place to send a code", () => {
    for (const uri of [
      "",
      "/cb",
      "//client.example.com/cb",
      "client.example.com/cb",
      "http://client.example.com/cb",
      "http://localhost.attacker.example/cb",
      "http://127.0.0.1.attacker.example/cb",
      "https://client.example.com/cb#fragment",
      "https://client.example.com/cb#",
      "https://user:secret@client.example.com/cb",
      "https://user@client.example.com/cb",
      "https://@client.example.com/cb",
      "https:///client.example.com/cb",
      "https:/client.example.com/cb",
      "http:localhost/cb",
      "https:\\\\client.example.com\\cb",
      "https://client.example.com/c b",
      "https://client.example.com/cb\r\nSet-Cookie:a=b",
      "https://client.example.com/%zz",
      "https://clïent.example.com/cb",
      "https://client.example.com/cb?code=1",
      "https://client.example.com/cb?state=1",
      "https://client.example.com/cb?%69ss=1",
      "https://*.example.com/cb|",
      "javascript:alert(1)",
      "JavaScript:alert(1)",
      "data:text/html,hello",
      "file:///etc/passwd",
      "vbscript:x",
      "blob:https://client.example.com/1",
      "ftp://client.example.com/cb",
      ".:/cb",
    ])
      for (const type of ["web", "native"] as const)
        expect([uri, typeof redirectUriProblem(uri, type)]).toEqual([uri, "string"]);
  });

  it("answers on any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (uri) => {
        const problem = redirectUriProblem(uri, "native");
        return problem === undefined || problem.length > 0;
      }),
    );
  });
});
