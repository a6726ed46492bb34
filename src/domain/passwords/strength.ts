/** How hard a password is to guess, by zxcvbn (Wheeler, USENIX Security 2016). */
import type { ZxcvbnFactory } from "@zxcvbn-ts/core";

/** What is left unread of a longer password: the search grows faster than the text, and such a length is strong enough. */
const READ_CHARACTERS = 64;

let estimator: Promise<ZxcvbnFactory> | undefined;

/**
 * Its dictionaries take some 60 MB and a quarter of a second: they are loaded by the first tenant that asks for them, and
 * never where none does.
 */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, common, english] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
    import("@zxcvbn-ts/language-en"),
  ]);
  return new Factory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    maxLength: READ_CHARACTERS,
  });
}

/**
 * @param about what somebody who knows the person would try first: names, addresses
 * @returns from 0 (guessed at once) to 4 (very hard to guess)
 */
export async function passwordStrength(password: string, about: readonly string[]): Promise<number> {
  const loaded = await (estimator ??= loadEstimator());
  return loaded.check(password, about.flatMap(wordsOf)).score;
}

/** An address or a name, and its parts: `jane.doe@example.com` is also jane, doe and example. */
function wordsOf(text: string): string[] {
  const whole = text.slice(0, 254).toLowerCase();
  return [whole, ...whole.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2)];
}
