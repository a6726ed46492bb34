import { databaseErrorOf } from "../db/client.ts";

/** A failure that trying again cannot mend: the job goes to the failed ones at once. */
export class PermanentJobError extends Error {
  override readonly name = "PermanentJobError";
}

/**
 * What the queue may keep about a failure. It is stored with the job and shown by `gatewright jobs list`, so what a
 * database error says of its statement's values, and addresses and links in a mail server's answer, are left out.
 */
export function failureReason(error: unknown): string {
  const fromDatabase = databaseErrorOf(error);
  if (fromDatabase) return `database error ${fromDatabase.code}`;
  if (!(error instanceof Error)) return "unknown error";
  // Whatever else drizzle wraps (a lost connection), its own message repeats the parameters.
  if (error.constructor.name === "DrizzleQueryError") return "database error";
  // Bounded before it is searched, too: the text may be a stranger's, and the search is not linear.
  return withoutPersonalData(error.message.slice(0, 2 * MAX_REASON_LENGTH)).slice(0, MAX_REASON_LENGTH);
}

const MAX_REASON_LENGTH = 300;

function withoutPersonalData(text: string): string {
  return text.replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, "[link]").replace(/\S+@\S+/g, "[address]");
}
