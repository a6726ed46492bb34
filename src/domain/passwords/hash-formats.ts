/**
 * Password hashes as other systems write them. Each has its costs in it, chosen elsewhere: what would keep a sign-in busy
 * for longer than a second or two, or fill the memory, is not read at all.
 */

export type PasswordHash =
  /** What the runtime verifies by itself. */
  | { readonly algorithm: "argon2" | "bcrypt"; readonly encoded: string }
  | {
      readonly algorithm: "scrypt";
      /** RFC 7914 §2. */
      readonly N: number;
      readonly r: number;
      readonly p: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    }
  | {
      readonly algorithm: "pbkdf2";
      readonly hash: "sha1" | "sha256" | "sha512";
      readonly iterations: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    }
  | {
      readonly algorithm: "firebase-scrypt";
      readonly memCost: number;
      readonly rounds: number;
      readonly salt: Buffer;
      readonly saltSeparator: Buffer;
      /** Which master key sealed the project's signer key. */
      readonly keyId: string;
      readonly sealedSignerKey: Buffer;
      readonly digest: Buffer;
    };

/** Why a hash is not taken. */
export type HashProblem = "unknown" | "too_costly";

const MOST_CHARACTERS = 1024;
/** Each about a second of one core, or less; OWASP recommends at most a tenth of them. */
const MOST_BCRYPT_COST = 14;
const MOST_ARGON2_KIB = 256 * 1024;
const MOST_ARGON2_KIB_PASSES = 1024 * 1024;
const MOST_ARGON2_LANES = 16;
const MOST_SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024;
const MOST_SCRYPT_BLOCKS = 4 * 1024 * 1024;
const MOST_PBKDF2_ITERATIONS = 3_000_000;
const LEAST_DIGEST_BYTES = 16;
const MOST_DIGEST_BYTES = 128;

/** Every form there is: each returns undefined for what is not its own. */
const readers = [argon2, bcrypt, scryptPhc, scryptDjango, scryptWerkzeug, scryptCrypt, pbkdf2, firebase];

/** @returns what is wrong with a hash that cannot be verified, or only at too high a cost */
export function readPasswordHash(text: string): PasswordHash | HashProblem {
  if (text.length > MOST_CHARACTERS) return "unknown";
  for (const read of readers) {
    const hash = read(text);
    if (hash) return isSound(hash) ? (isBounded(hash) ? hash : "too_costly") : "unknown";
  }
  return "unknown";
}

/** Some frameworks put a word before hashes of a common form. */
const withoutPrefix = (text: string) => text.replace(/^(?:argon2(?=\$argon2)|bcrypt\$(?=\$2))/, "");

/** The PHC string format, of version 1.3 (RFC 9106); Django writes `argon2` before it. */
function argon2(text: string): PasswordHash | undefined {
  const encoded = withoutPrefix(text);
  return /^\$argon2(?:id|i|d)\$v=19\$m=\d{1,7},t=\d{1,5},p=\d{1,3}\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{22,172}$/.test(
    encoded,
  )
    ? { algorithm: "argon2", encoded }
    : undefined;
}

/** Modular crypt. `2x` is that of a library with a fault; `2y` is what PHP calls `2b`; Django writes `bcrypt$` before it. */
function bcrypt(text: string): PasswordHash | undefined {
  const encoded = withoutPrefix(text);
  return /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(encoded) ? { algorithm: "bcrypt", encoded } : undefined;
}

function scryptPhc(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt, digest] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,6}),p=(\d{1,6})\$([A-Za-z0-9+/.]+)={0,2}\$([A-Za-z0-9+/.]+)={0,2}$/.exec(
      text,
    ) ?? [];
  return salt && digest
    ? {
        algorithm: "scrypt",
        N: 2 ** Number(ln),
        r: Number(r),
        p: Number(p),
        salt: bytes(salt),
        digest: bytes(digest),
      }
    : undefined;
}

/** `scrypt$<N>$<salt>$<r>$<p>$<digest>` */
function scryptDjango(text: string): PasswordHash | undefined {
  const [, N, salt, r, p, digest] =
    /^scrypt\$(\d{1,10})\$([^$]{1,128})\$(\d{1,6})\$(\d{1,6})\$([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  return salt && digest
    ? {
        algorithm: "scrypt",
        N: Number(N),
        r: Number(r),
        p: Number(p),
        salt: Buffer.from(salt),
        digest: bytes(digest),
      }
    : undefined;
}

/** `scrypt:<N>:<r>:<p>$<salt>$<digest in hexadecimal>` */
function scryptWerkzeug(text: string): PasswordHash | undefined {
  const [, N, r, p, salt, digest] =
    /^scrypt:(\d{1,10}):(\d{1,6}):(\d{1,6})\$([^$]{1,128})\$((?:[0-9a-f]{2})+)$/.exec(text) ?? [];
  return salt && digest
    ? {
        algorithm: "scrypt",
        N: Number(N),
        r: Number(r),
        p: Number(p),
        salt: Buffer.from(salt),
        digest: Buffer.from(digest, "hex"),
      }
    : undefined;
}

const CRYPT_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `$7$`, as libsodium and libxcrypt write it: numbers and digest in crypt's own digits, the lowest first. */
function scryptCrypt(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt, digest] =
    /^\$7\$([./A-Za-z0-9])([./A-Za-z0-9]{5})([./A-Za-z0-9]{5})([^$]{1,128})\$([./A-Za-z0-9]{43})$/.exec(
      text,
    ) ?? [];
  if (!ln || !r || !p || !salt || !digest) return undefined;
  const decoded = digest.match(/.{1,4}/g)?.flatMap((group) => {
    const value = cryptNumber(group);
    return [value, value >> 8, value >> 16].slice(0, Math.floor((group.length * 6) / 8));
  });
  return {
    algorithm: "scrypt",
    N: 2 ** cryptNumber(ln),
    r: cryptNumber(r),
    p: cryptNumber(p),
    salt: Buffer.from(salt),
    digest: Buffer.from(decoded ?? []),
  };
}

const cryptNumber = (digits: string) =>
  [...digits].reduce((sum, digit, place) => sum + CRYPT_ALPHABET.indexOf(digit) * 64 ** place, 0);

/** PHC and modular crypt (`$pbkdf2-sha256$…`), Django (`pbkdf2_sha256$…`), Werkzeug (`pbkdf2:sha256:…`). */
function pbkdf2(text: string): PasswordHash | undefined {
  const modular =
    /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,10})(?:,l=\d{1,3})?\$([A-Za-z0-9+/.]+)={0,2}\$([A-Za-z0-9+/.]+)={0,2}$/.exec(
      text,
    );
  const django = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,10})\$([^$]{1,128})\$([A-Za-z0-9+/]+={0,2})$/.exec(
    text,
  );
  const werkzeug = /^pbkdf2:(sha1|sha256|sha512):(\d{1,10})\$([^$]{1,128})\$((?:[0-9a-f]{2})+)$/.exec(text);
  const [, hash = "sha1", iterations, salt, digest] = modular ?? django ?? werkzeug ?? [];
  if (!salt || !digest || (hash !== "sha1" && hash !== "sha256" && hash !== "sha512")) return undefined;
  return {
    algorithm: "pbkdf2",
    hash,
    iterations: Number(iterations),
    salt: modular ? bytes(salt) : Buffer.from(salt),
    digest: werkzeug ? Buffer.from(digest, "hex") : bytes(digest),
  };
}

const FIREBASE =
  /^\$firebase-scrypt\$m=(\d{1,2}),r=(\d{1,2})\$([^$]+)\$([^$]*)\$([\w-]{1,32})\.([^$]+)\$([^$]+)$/;

function firebase(text: string): PasswordHash | undefined {
  const [, memCost, rounds, salt, separator, keyId, signerKey, digest] = FIREBASE.exec(text) ?? [];
  if (!salt || separator === undefined || !keyId || !signerKey || !digest) return undefined;
  return {
    algorithm: "firebase-scrypt",
    memCost: Number(memCost),
    rounds: Number(rounds),
    salt: bytes(salt),
    saltSeparator: bytes(separator),
    keyId,
    sealedSignerKey: bytes(signerKey),
    digest: bytes(digest),
  };
}

/** Firebase's own form has its parts in several places: ours puts them into one text. */
export function writeFirebaseHash(
  hash: Omit<PasswordHash & { algorithm: "firebase-scrypt" }, "algorithm">,
): string {
  const { memCost, rounds, keyId } = hash;
  const text = (part: Buffer) => part.toString("base64");
  return `$firebase-scrypt$m=${memCost},r=${rounds}$${text(hash.salt)}$${text(hash.saltSeparator)}$${keyId}.${text(hash.sealedSignerKey)}$${text(hash.digest)}`;
}

/** Base64, also with the dot that modular crypt has for the plus. */
const bytes = (text: string) => Buffer.from(text.replaceAll(".", "+"), "base64");

/** Parameters that the algorithm has no meaning for, or a digest so short that others would fit. */
function isSound(hash: PasswordHash): boolean {
  switch (hash.algorithm) {
    case "argon2": {
      const { memory, passes, lanes } = argon2Costs(hash.encoded);
      return passes >= 1 && lanes >= 1 && memory >= 8 * lanes;
    }
    case "bcrypt":
      return bcryptCost(hash.encoded) >= 4 && bcryptCost(hash.encoded) <= 31;
    case "scrypt":
      return (
        hash.N >= 2 && Number.isInteger(Math.log2(hash.N)) && hash.r >= 1 && hash.p >= 1 && isDigest(hash)
      );
    case "pbkdf2":
      return hash.iterations >= 1 && isDigest(hash);
    case "firebase-scrypt":
      return hash.memCost >= 1 && hash.rounds >= 1 && isDigest(hash);
  }
}

const isDigest = ({ digest }: { digest: Buffer }) =>
  digest.length >= LEAST_DIGEST_BYTES && digest.length <= MOST_DIGEST_BYTES;

function isBounded(hash: PasswordHash): boolean {
  switch (hash.algorithm) {
    case "argon2": {
      const { memory, passes, lanes } = argon2Costs(hash.encoded);
      return (
        memory <= MOST_ARGON2_KIB && memory * passes <= MOST_ARGON2_KIB_PASSES && lanes <= MOST_ARGON2_LANES
      );
    }
    case "bcrypt":
      return bcryptCost(hash.encoded) <= MOST_BCRYPT_COST;
    case "scrypt":
      return isScryptBounded(hash.N, hash.r, hash.p);
    case "pbkdf2":
      return hash.iterations * pbkdf2Blocks(hash) <= MOST_PBKDF2_ITERATIONS;
    case "firebase-scrypt":
      return isScryptBounded(2 ** hash.memCost, hash.rounds, 1);
  }
}

const HASH_BYTES = { sha1: 20, sha256: 32, sha512: 64 };

/** RFC 8018 §5.2: each block of the digest takes all iterations. */
const pbkdf2Blocks = ({ hash, digest }: PasswordHash & { algorithm: "pbkdf2" }) =>
  Math.ceil(digest.length / HASH_BYTES[hash]);

const isScryptBounded = (N: number, r: number, p: number) =>
  128 * N * r <= MOST_SCRYPT_MEMORY_BYTES && N * r * p <= MOST_SCRYPT_BLOCKS;

const bcryptCost = (encoded: string) => Number(encoded.slice(4, 6));

function argon2Costs(encoded: string): { memory: number; passes: number; lanes: number } {
  const [, memory, passes, lanes] = /\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(encoded) ?? [];
  return { memory: Number(memory), passes: Number(passes), lanes: Number(lanes) };
}
