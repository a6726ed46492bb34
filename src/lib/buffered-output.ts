/**
 * Standard output for a log that writes a line for every request: lines of everyday levels wait for a moment and go out
 * together, since a call of the operating system for each costs a tenth of what a request does. A warning or an error goes out
 * at once, with everything before it; so does everything when the process exits. What kills it without a signal may take
 * the last tenth of a second of everyday lines with it.
 */
const MAX_DELAY_MS = 100;
const MAX_LENGTH = 32 * 1024;
const WARN = 40;

interface BufferedOutput {
  write(line: string): void;
  /** Set by the logger before each write. */
  lastLevel: number;
  readonly [needsMetadata]: true;
}

/** How pino is asked for the level of each line. */
const needsMetadata = Symbol.for("pino.metadata");

export function createBufferedOutput(
  send: (text: string) => unknown = (text) => process.stdout.write(text),
): BufferedOutput {
  let waiting = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === "") return;
    const text = waiting;
    waiting = "";
    send(text);
  };
  process.once("exit", flush);
  return {
    [needsMetadata]: true,
    lastLevel: 0,
    write(line) {
      waiting += line;
      if (this.lastLevel >= WARN || waiting.length >= MAX_LENGTH) return flush();
      timer ??= setTimeout(flush, MAX_DELAY_MS);
      timer.unref();
    },
  };
}
