/** Distinguished names as text (RFC 4514). */
import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { distinguishedNameKey, isDistinguishedName } from "../../../src/protocol/ldap/distinguished-name.ts";

describe("a distinguished name", () => {
  it.each([
    "UID=jsmith,DC=example,DC=net",
    "OU=Sales+CN=J.  Smith,DC=example,DC=net",
    'CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net',
    "CN=Before\\0dAfter,DC=example,DC=net",
    "1.3.6.1.4.1.1466.0=#04024869",
    "CN=Lu\\C4\\8Di\\C4\\87",
    "cn=Größe, dc=example",
    "cn=,dc=example",
  ])("%p is one (§4)", (name) => {
    expect(isDistinguishedName(name)).toBe(true);
  });

  it.each([
    "",
    "reader",
    "cn",
    "=x",
    "cn=a,",
    ",cn=a",
    "cn=a,,dc=b",
    'cn="a"',
    "cn=a\\",
    "cn=a\0",
    "cn=a;b=c",
    "1=a",
    "cn=<a>",
  ])("%p is none", (name) => {
    expect(isDistinguishedName(name)).toBe(false);
  });
});

describe("two spellings of one name", () => {
  it.each([
    ["CN=Admins,DC=Example", "cn=admins, dc=example"],
    ["cn = admins , dc=example", "cn=admins,dc=example"],
    ["cn=a\\,b,dc=x", "cn=a\\2cb,dc=x"],
    ["cn=a\\,b,dc=x", "CN=a\\2CB,DC=X"],
  ])("%p and %p have a key in common", (one, other) => {
    expect(distinguishedNameKey(one)).toBe(distinguishedNameKey(other));
  });

  it.each([
    ["cn=a\\,b,dc=x", "cn=a,b,dc=x"],
    ["cn=a,dc=x", "cn=a,dc=y"],
    ["cn=ab,dc=x", "cn=a b,dc=x"],
    ["cn=a\\+ou=b,dc=x", "cn=a+ou=b,dc=x"],
  ])("%p and %p are two", (one, other) => {
    expect(distinguishedNameKey(one)).not.toBe(distinguishedNameKey(other));
  });

  it("are never found where a separator is escaped in one alone", () => {
    const plain = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(plain, plain, fc.constantFrom(",", "+", "="), (a, b, separator) => {
        const escaped = distinguishedNameKey(`cn=${a}\\${separator}${b}`);
        expect(escaped).not.toBe(distinguishedNameKey(`cn=${a}${separator}${b}`));
      }),
    );
  });
});
