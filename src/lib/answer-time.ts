/**
 * For answers that must not tell by their time what was found: longer than the work takes either way, and short enough
 * that nobody minds. Equal work alone still differs by what the database does with a row that is there (CWE-208).
 */
export const ANSWER_MS = 30;

/** Answers no sooner than `ANSWER_MS` after the work began, whether it succeeds or fails. */
export async function atAnEvenPace<T>(work: Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([work, Bun.sleep(ANSWER_MS)]);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
