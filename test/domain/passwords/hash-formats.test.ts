/** Hashes that other systems made: published examples of each, and costs that nobody is to be kept busy with. */
import { describe, expect, it } from "bun:test";
import {
  type HashProblem,
  readPasswordHash,
  writeFirebaseHash,
} from "../../../src/domain/passwords/hash-formats.ts";
import { createPasswordHasher } from "../../../src/domain/passwords/hasher.ts";
import { SIGNER_KEY_CONTEXT } from "../../../src/domain/passwords/verifying.ts";
import { type MasterKeys, sealWith } from "../../../src/lib/master-keys.ts";

const masterKeys: MasterKeys = [{ id: "1", key: Buffer.alloc(32, 7) }];
const hasher = createPasswordHasher(2, masterKeys);

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The example of Firebase's own implementation (github.com/firebase/scrypt, README). */
const signerKey = Buffer.from(
  "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
  "base64",
);
const firebase = (keys: MasterKeys = masterKeys) => {
  const { keyId, box } = sealWith(keys, signerKey, SIGNER_KEY_CONTEXT);
  return writeFirebaseHash({
    memCost: 14,
    rounds: 8,
    salt: Buffer.from("42xEC+ixf3L2lw==", "base64"),
    saltSeparator: Buffer.from("Bw==", "base64"),
    keyId,
    sealedSignerKey: box,
    digest: Buffer.from(
      "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
      "base64",
    ),
  });
};

const published: [what: string, hash: string, password: string][] = [
  [
    "argon2i, of the reference implementation",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    "password",
  ],
  [
    "argon2id, of the reference implementation",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "password",
  ],
  [
    "argon2id in two lanes",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    "password",
  ],
  [
    "argon2d, of the reference implementation",
    "$argon2d$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$lV5dWxY6G2C7o1/DbQSWR0+6T2tZrVNihmbwf7L5Pq8",
    "password",
  ],
  [
    "argon2id as Django writes it",
    "argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "password",
  ],
  ["bcrypt 2a, of crypt_blowfish", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"],
  ["bcrypt 2y, as PHP writes it", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"],
  [
    "bcrypt as Django writes it",
    "bcrypt$$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "U*U",
  ],
  [
    "bcrypt of more than 72 bytes, of crypt_blowfish",
    "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    `${digits}${letters}${digits}chars after 72 are ignored`,
  ],
  [
    "scrypt, PHC, of passlib",
    "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    "password",
  ],
  [
    "scrypt, $7$, of yescrypt's tests",
    "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
    "pleaseletmein",
  ],
  [
    "scrypt, of Django's tests",
    "scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==",
    "lètmein",
  ],
  [
    "scrypt of RFC 7914 §12, as Werkzeug writes it",
    "scrypt:16384:8:1$SodiumChloride$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
    "pleaseletmein",
  ],
  ["pbkdf2-sha1, of passlib", "$pbkdf2$131000$r5WythYixPgfQ2jt3buXcg$8Kdr.QQEOaZIXNOrrru36I/.6Po", "hashcat"],
  [
    "pbkdf2-sha256, of passlib",
    "$pbkdf2-sha256$29000$x9h7j/Ge8x6DMEao1VqrdQ$kra3R1wEnY8mPdDWOpTqOTINaAmZvRMcYd8u5OBQP9A",
    "hashcat",
  ],
  [
    "pbkdf2-sha256, PHC",
    "$pbkdf2-sha256$i=29000,l=32$x9h7j/Ge8x6DMEao1VqrdQ$kra3R1wEnY8mPdDWOpTqOTINaAmZvRMcYd8u5OBQP9A",
    "hashcat",
  ],
  [
    "pbkdf2-sha512, of Authelia's documentation",
    "$pbkdf2-sha512$310000$c8p78n7pUMln0jzvd4aK4Q$JNRBzwAo0ek5qKn50cFzzvE9RXV88h1wJn5KGiHrD0YKtZaR/nCb2CJPOsKaPK0hjf.9yHxzQGZziziccp6Yng",
    "insecure_secret",
  ],
  [
    "pbkdf2_sha256, of Django's tests",
    "pbkdf2_sha256$870000$seasalt$wJSpLMQRQz0Dhj/pFpbyjMj71B2gUYp6HJS5AU+32Ac=",
    "lètmein",
  ],
  [
    "pbkdf2_sha1, of djangohashers' tests",
    "pbkdf2_sha1$24000$seasalt$F+kiWNHXbMBcwgxsvSKFCWHnZZ0=",
    "KRONOS",
  ],
  ["Firebase's scrypt", firebase(), "user1password"],
];

describe("a hash that another system made", () => {
  it.each(published)("verifies: %s", async (_what, hash, password) => {
    expect(await hasher.verify(password, hash)).toBe(true);
    expect(await hasher.verify(`X${password}`, hash)).toBe(false);
    expect(hasher.isOutdated(hash)).toBe(true);
  });

  it("of Firebase needs the master key that sealed the project's signer key", async () => {
    const other: MasterKeys = [{ id: "2", key: Buffer.alloc(32, 8) }];
    await expect(hasher.verify("user1password", firebase(other))).rejects.toThrow("master key");
    expect(await createPasswordHasher(1).verify("user1password", firebase())).toBe(false);
  });
});

const salt = "c29tZXNhbHRzb21lc2FsdA";
const digest = "wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
const refused: [problem: HashProblem, hash: string][] = [
  ["too_costly", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["too_costly", "$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["too_costly", `$argon2id$v=19$m=4194304,t=1,p=1$${salt}$${digest}`],
  ["too_costly", `$argon2id$v=19$m=65536,t=99999,p=1$${salt}$${digest}`],
  ["too_costly", `$argon2id$v=19$m=65536,t=1,p=255$${salt}$${digest}`],
  ["too_costly", `$scrypt$ln=30,r=8,p=1$${salt}$${digest}`],
  ["too_costly", `$scrypt$ln=14,r=8,p=999$${salt}$${digest}`],
  ["too_costly", `scrypt$1073741824$salt$8$1$${digest}=`],
  ["too_costly", `$7$T6..../....${"salt"}$${"k".repeat(43)}`],
  ["too_costly", `$pbkdf2-sha256$999999999$${salt}$${digest}`],
  ["too_costly", `pbkdf2_sha1$100000000$salt$${digest}=`],
  ["too_costly", firebase().replace("m=14", "m=30")],
  ["unknown", ""],
  ["unknown", "correct horse battery staple"],
  ["unknown", "5f4dcc3b5aa765d61d8327deb882cf99"],
  ["unknown", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"],
  ["unknown", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["unknown", "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["unknown", `$argon2i$m=65536,t=2,p=1$${salt}$${digest}`],
  ["unknown", `$argon2id$v=19$m=65536,t=0,p=1$${salt}$${digest}`],
  ["unknown", `scrypt$16383$salt$8$1$${digest}=`],
  ["unknown", `pbkdf2_sha256$0$salt$${digest}=`],
  ["unknown", "pbkdf2_sha256$1000$salt$AAAA"],
  ["unknown", `$pbkdf2-md5$1000$${salt}$${digest}`],
  ["unknown", `$scrypt$ln=10,r=8,p=1$${salt}$${"A".repeat(2000)}`],
];

describe("a hash that is not taken", () => {
  it.each(refused)("is %s: %s", async (problem, hash) => {
    expect(readPasswordHash(hash)).toBe(problem);
    // And where it came into the database by another way, it keeps nobody busy.
    expect(await hasher.verify("password", hash)).toBe(false);
  });
});
