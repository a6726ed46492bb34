import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import {
  browserCookieName,
  expireCookie,
  parseCookies,
  serializeCookie,
  sessionCookieName,
  trustedDeviceCookieName,
} from "../../src/web/cookies.ts";

describe("Set-Cookie", () => {
  it("has every attribute that the __Host- prefix and a session need", () => {
    expect(serializeCookie(browserCookieName, "abc")).toBe(
      "__Host-gw_browser=abc; Path=/; HttpOnly; Secure; SameSite=Lax",
    );
    expect(serializeCookie(sessionCookieName(), "abc", { maxAgeSeconds: 60 })).toEndWith("; Max-Age=60");
    expect(expireCookie(sessionCookieName("acme"))).toStartWith("__Host-gw_session_acme=; ");
    expect(expireCookie(sessionCookieName("acme"))).toEndWith("; Max-Age=0");
    expect(trustedDeviceCookieName()).toBe("__Host-gw_trusted");
    expect(trustedDeviceCookieName("acme")).toBe("__Host-gw_trusted_acme");
  });

  it("is not made of values or names that would break it", () => {
    for (const value of ["a;b", "a b", "a,b", 'a"b', "a\\b", "a\r\nSet-Cookie: x=y", "é"]) {
      expect(() => serializeCookie(browserCookieName, value)).toThrow(RangeError);
    }
    expect(() => serializeCookie("gw_session", "a")).toThrow(RangeError);
    expect(() => serializeCookie("__Host-a=b", "a")).toThrow(RangeError);
    for (const slug of ["", "A", "a b", "a;b", "a=b", "-a", "a_b"]) {
      expect(() => sessionCookieName(slug)).toThrow(RangeError);
      expect(() => trustedDeviceCookieName(slug)).toThrow(RangeError);
    }
  });

  it("gives each tenant a session of its own", () => {
    expect(sessionCookieName()).toBe("__Host-gw_session");
    expect(sessionCookieName("acme")).not.toBe(sessionCookieName("acme-2"));
  });
});

describe("Cookie", () => {
  it("is read back as it was written, whatever stands beside it", () => {
    const value = fc.stringMatching(/^[\w.~-]{1,64}$/);
    fc.assert(
      fc.property(value, value, (session, other) => {
        const cookies = parseCookies(`a=${other}; __Host-gw_session=${session}; b=${other}`);
        expect(cookies.get("__Host-gw_session")).toBe(session);
      }),
    );
  });

  it("counts the first of a name that was sent twice", () => {
    expect(
      parseCookies("x=1; __Host-gw_session=first; __Host-gw_session=second").get("__Host-gw_session"),
    ).toBe("first");
  });

  it("is not taken from malformed pairs, which leave the others as they are", () => {
    const cookies = parseCookies('novalue; =empty; a b=1; c="quoted"; d=1,2; __proto__=1; ok=yes=no;; e=');
    expect([...cookies]).toEqual([
      ["__proto__", "1"],
      ["ok", "yes=no"],
      ["e", ""],
    ]);
  });

  it("is exact about the name", () => {
    const cookies = parseCookies("__host-gw_session=a; __Host-gw_session_acme=b; x__Host-gw_session=c");
    expect(cookies.get("__Host-gw_session")).toBeUndefined();
  });

  it("is empty for a request without any", () => {
    expect(parseCookies(null).size).toBe(0);
    expect(parseCookies("").size).toBe(0);
  });
});
