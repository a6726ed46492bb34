/** Server-sent events (HTML Living Standard §9.2). */

export interface EventSource<Event> {
  /** What there is to send now; nothing is an empty list. */
  read(): Promise<readonly Event[]>;
  close(): void;
}

export interface Message {
  /** What the receiver sends as Last-Event-ID when it comes back. */
  readonly id: string;
  readonly event: string;
  /** One line. */
  readonly data: string;
}

const POLL_MS = 500;
const CHECK_MS = 2000;
/** Below the time after which servers and proxies give an idle connection up. */
const BEAT_MS = 15_000;
/** The receiver comes back by itself then; so no stream holds up the end of a process for ever. */
const MOST_MS = 10 * 60_000;

/**
 * Sends what the source has, for as long as it is allowed, at the receiver's own pace.
 * @param stillAllowed asked every 2 s
 */
export function eventStream<Event>(
  source: EventSource<Event>,
  { stillAllowed, show }: { stillAllowed: () => Promise<boolean>; show: (event: Event) => Message },
): Response {
  const encoder = new TextEncoder();
  const begun = performance.now();
  let checkAt = begun + CHECK_MS;
  let beatAt = begun + BEAT_MS;
  let open = true;
  const end = () => {
    open = false;
    source.close();
  };

  /** @returns what to send next; undefined when it is over */
  async function next(): Promise<string | undefined> {
    while (open) {
      const now = performance.now();
      if (now >= checkAt) {
        if (now - begun > MOST_MS || !(await stillAllowed())) return undefined;
        checkAt = now + CHECK_MS;
      }
      const events = await source.read();
      if (events.length > 0 || now >= beatAt) {
        beatAt = now + BEAT_MS;
        return events.length > 0 ? events.map((event) => textOf(show(event))).join("") : ":\n\n";
      }
      await Bun.sleep(POLL_MS);
    }
    return undefined;
  }

  const body = new ReadableStream<Uint8Array>(
    {
      // At once, so that the receiver knows that it is connected.
      start: (controller) => controller.enqueue(encoder.encode("retry: 3000\n\n")),
      async pull(controller) {
        // A source that fails ends the stream: the receiver comes back and goes on where it was.
        const text = await next().catch(() => undefined);
        if (!open) return;
        if (text !== undefined) return controller.enqueue(encoder.encode(text));
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 2 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Proxies that collect an answer before they pass it on would hold events back.
      "x-accel-buffering": "no",
    },
  });
}

const textOf = ({ id, event, data }: Message) => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
