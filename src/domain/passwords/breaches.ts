/**
 * Whether a password is known from a breach, asked by k-anonymity (the range protocol of Have I Been Pwned): the first five
 * of the SHA-1's forty digits leave this server, and the answer's hundreds of suffixes are compared here.
 */
import { createHash } from "node:crypto";
import type { Deps } from "../../deps.ts";

const PREFIX_DIGITS = 5;
/** A sign-up waits for this answer; one that takes longer counts as none. */
const TIMEOUT_MS = 2000;
/** A padded range has about 1000 lines of 40 characters. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Fails open, and says so in the log: that service being away must not keep people from changing their passwords.
 * @returns false also when the service gave no answer
 */
export async function isBreached(deps: Pick<Deps, "config" | "log">, password: string): Promise<boolean> {
  const digest = createHash("sha1").update(password).digest("hex").toUpperCase();
  const suffix = digest.slice(PREFIX_DIGITS);
  try {
    const range = await readRange(deps.config.breachedPasswordsUrl, digest.slice(0, PREFIX_DIGITS));
    return range.split("\n").some((line) => {
      const [known, count] = line.trim().split(":");
      // Padding looks like every other line, and has a count of 0.
      return known === suffix && Number(count) > 0;
    });
  } catch (err) {
    deps.log.warn({ err }, "breached passwords could not be looked up: the password was not checked");
    return false;
  }
}

/** @throws when there is no answer within two seconds, or none that makes sense */
async function readRange(baseUrl: string, prefix: string): Promise<string> {
  const response = await fetch(`${baseUrl.replace(/\/$/, "")}/range/${prefix}`, {
    // Padding keeps the answer's length from telling which range it was.
    headers: { "add-padding": "true", "user-agent": "Gatewright", accept: "text/plain" },
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`the service answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error("the service's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("latin1");
}
