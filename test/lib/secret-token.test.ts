import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { sha256 } from "../../src/lib/crypto.ts";
import { newId } from "../../src/lib/ids.ts";
import {
  formatSecretToken,
  matchesHash,
  newSecretToken,
  parseSecretToken,
} from "../../src/lib/secret-token.ts";

describe("a secret token", () => {
  it("is the record's id and 256 random bits", () => {
    const id = newId("refreshToken");
    const { token, secret, hash } = newSecretToken(id);
    expect(token).toBe(`${id}_${secret}`);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(hash).toEqual(sha256(secret));
    expect(newSecretToken(id).secret).not.toBe(secret);
  });

  it("is read as what it was made of", () => {
    for (let round = 0; round < 200; round++) {
      const id = newId("refreshToken");
      const { token, secret } = newSecretToken(id);
      expect(parseSecretToken("refreshToken", token)).toEqual({ id, secret });
    }
  });

  it("matches the hash of its own secret alone", () => {
    const mine = newSecretToken(newId("refreshToken"));
    const other = newSecretToken(newId("refreshToken"));
    expect(matchesHash(mine.secret, mine.hash)).toBe(true);
    expect(matchesHash(other.secret, mine.hash)).toBe(false);
    expect(matchesHash(mine.secret, mine.hash.subarray(0, 16))).toBe(false);
    expect(matchesHash("", new Uint8Array())).toBe(false);
  });
});

describe("what is no secret token of that kind", () => {
  const id = newId("refreshToken");
  const { token, secret } = newSecretToken(id);

  it.each([
    ["nothing", ""],
    ["an id alone", id],
    ["a secret alone", secret],
    ["another kind's", newSecretToken(newId("session")).token],
    ["one with a shorter secret", token.slice(0, -1)],
    ["one with a longer secret", `${token}A`],
    ["one with another separator", `${id}-${secret}`],
    ["one with padding", `${token.slice(0, -1)}=`],
    ["one in standard base64", `${token.slice(0, -1)}+`],
    ["one with a line feed after it", `${token}\n`],
    ["one with a space before it", ` ${token}`],
    ["one with an id in lower case", formatSecretToken(id.toLowerCase(), secret)],
  ])("is %s", (_name, text) => {
    expect(parseSecretToken("refreshToken", text)).toBeUndefined();
  });

  it("is any text that happens to come", () => {
    fc.assert(
      fc.property(fc.string(), (text) => expect(parseSecretToken("refreshToken", text)).toBeUndefined()),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const parsed = parseSecretToken("refreshToken", `${id}_${text}`);
        expect(parsed !== undefined).toBe(/^[\w-]{43}$/.test(text) && !text.endsWith("\n"));
      }),
    );
  });
});
