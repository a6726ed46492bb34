import { OutboundError } from "./errors.ts";

/** The time that a request may take, all in all. */
export class Deadline {
  readonly #abort = new AbortController();
  readonly #end: number;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(timeoutMs: number) {
    this.#end = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#abort.abort(), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remainingMs(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** For what knows no signal: the resolver. It goes on, but nobody waits for it. */
  bound<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.signal.addEventListener("abort", () =>
      reject(new OutboundError("timeout", "the name took too long to resolve")),
    );
    return Promise.race([work, promise]);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
