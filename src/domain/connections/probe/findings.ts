/** What a rehearsal of a connection finds out. */
import type { Deps } from "../../../deps.ts";

export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "failed";
  readonly message: string;
}

const finding =
  (status: Finding["status"]) =>
  (check: string, message: string): Finding => ({ check, status, message });

export const ok = finding("ok");
export const warning = finding("warning");
export const failed = finding("failed");

/** One sentence for whatever kept us from an address: which of our own hosts there are is not to be learnt here. */
export const UNREACHABLE = "It does not answer us as it should. The server's log says why.";

const MAX_BYTES = 256 * 1024;

/**
 * Fetches a document for a rehearsal.
 * @returns undefined when there is none; why is for the log alone
 */
export async function fetchDocument(deps: Deps, url: string, accept: string): Promise<string | undefined> {
  try {
    const { status, body } = await deps.outbound.request(url, { accept, maxBytes: MAX_BYTES });
    if (status === 200) return new TextDecoder("utf-8", { fatal: true }).decode(body);
    deps.log.info({ status }, "a connection's rehearsal got no document");
  } catch (err) {
    deps.log.info({ err }, "a connection's rehearsal got no document");
  }
  return undefined;
}

/** Whether anything at all answers at an address. */
export async function answers(deps: Deps, url: string): Promise<boolean> {
  try {
    await deps.outbound.request(url, { accept: "application/json", maxBytes: MAX_BYTES });
    return true;
  } catch (err) {
    deps.log.info({ err }, "a connection's rehearsal got no answer");
    return false;
  }
}
