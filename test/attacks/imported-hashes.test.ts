/**
 * Password hashes in a file of users that hurt at the sign-in: one that the runtime cannot read is a failure of ours there
 * (CWE-248), which also tells that there is such a user (CWE-204); one with a digest of many blocks takes many times what its
 * iterations say (CWE-400).
 */
import { describe, expect, it } from "bun:test";
import { readPasswordHash } from "../../src/domain/passwords/hash-formats.ts";
import { createPasswordHasher } from "../../src/domain/passwords/hasher.ts";

describe("a hash", () => {
  /** Guard: passwords/verifying.ts `verifyEncoded`. */
  it.each([
    [
      "argon2 with a salt that is no base64",
      `$argon2id$v=19$m=64,t=1,p=1$${"A".repeat(13)}$${"A".repeat(43)}`,
    ],
    ["bcrypt of digits that it has none of", `$2b$04$${"z".repeat(53)}`],
  ])("that cannot be read is that of no password: %s", async (_what, hash) => {
    expect(await createPasswordHasher(1).verify("anything", hash)).toBe(false);
  });

  /** Guard: the least salt in passwords/hash-formats.ts `argon2`. */
  it("with too short a salt is none", () => {
    expect(readPasswordHash(`$argon2id$v=19$m=64,t=1,p=1$AAAAAAAA$${"A".repeat(43)}`)).toBe("unknown");
  });

  /** Guard: passwords/hash-formats.ts `pbkdf2Blocks`. */
  it("costs as many times its iterations as its digest has blocks", () => {
    const ofBytes = (bytes: number) => `pbkdf2:sha1:3000000$salt$${"ab".repeat(bytes)}`;
    expect(readPasswordHash(ofBytes(20))).toMatchObject({ algorithm: "pbkdf2" });
    expect(readPasswordHash(ofBytes(128))).toBe("too_costly");
  });
});
