/**
 * A stream sealed in frames, so that neither sealing nor opening needs all of it in memory. A frame knows its number and
 * whether it is the last: none can be left out, moved or cut off.
 */
import { seal, unseal } from "../lib/crypto.ts";
import type { MasterKey, PurposeKeys } from "../lib/master-keys.ts";

const FRAME_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
/** Nonce and tag. */
const OVERHEAD_BYTES = 28;

export class SealedStreamError extends Error {
  override readonly name = "SealedStreamError";
}

const contextOf = (context: string, index: number, last: boolean) =>
  `${context}/${index}${last ? "/last" : ""}`;

/** @param context what the stream is, as for `seal`: it opens only as that */
export async function* sealFrames(
  key: Uint8Array,
  context: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // Filled again and again: however large a chunk is, none of it is copied but into its frame.
  const frame = Buffer.allocUnsafe(FRAME_BYTES);
  let filled = 0;
  let index = 0;
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length;) {
      if (filled === FRAME_BYTES) {
        yield frameOf(seal(key, frame, contextOf(context, index++, false)));
        filled = 0;
      }
      const part = chunk.subarray(taken, taken + FRAME_BYTES - filled);
      frame.set(part, filled);
      filled += part.length;
      taken += part.length;
    }
  }
  yield frameOf(seal(key, frame.subarray(0, filled), contextOf(context, index, true)));
}

function frameOf(box: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(box.length);
  return Buffer.concat([length, box]);
}

/**
 * @param keys it was sealed with one of them, and all of it with the same
 * @throws SealedStreamError when it was sealed otherwise, changed or cut off; what came before that has been given out
 */
export async function* openFrames(
  keys: PurposeKeys,
  context: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let index = 0;
  let held = Buffer.alloc(0);
  let ended = false;
  let possible: readonly MasterKey[] = keys;
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      const length = held.length < LENGTH_BYTES ? undefined : held.readUInt32BE();
      if (length !== undefined && length > FRAME_BYTES + OVERHEAD_BYTES) throw changed();
      if (length === undefined || held.length < LENGTH_BYTES + length) break;
      const box = held.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      held = held.subarray(LENGTH_BYTES + length);
      if (ended) throw changed();
      const frame = openFrame(possible, box, context, index);
      if (!frame) throw changed();
      possible = [frame.key];
      ended = frame.last;
      index++;
      yield frame.content;
    }
  }
  if (!ended || held.length > 0) throw changed();
}

function openFrame(keys: readonly MasterKey[], box: Uint8Array, context: string, index: number) {
  for (const key of keys) {
    for (const last of [false, true]) {
      const content = unseal(key.key, box, contextOf(context, index, last));
      if (content) return { content, last, key };
    }
  }
  return undefined;
}

const changed = () =>
  new SealedStreamError("the stored file was changed, cut off, or sealed with another key");
