/** A relying party as far as back-channel logout goes: it takes what is posted, and answers as it is told. */

export interface LogoutRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly form: URLSearchParams;
}

export interface LogoutReceiver {
  /** `http://127.0.0.1:<port>/logout`. */
  readonly uri: string;
  /** Statuses, or whole responses, of the next answers; 200 when there are none. */
  readonly answers: (number | Response)[];
  readonly received: number;
  /** The next request that was not looked at yet; fails after 20 seconds. */
  next(): Promise<LogoutRequest>;
  stop(): void;
}

const DEADLINE_MS = 20_000;

export function startLogoutReceiver(): LogoutReceiver {
  const waiting: LogoutRequest[] = [];
  const answers: (number | Response)[] = [];
  let received = 0;
  let wake: (() => void) | undefined;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const form = new URLSearchParams(await request.text());
      received++;
      waiting.push({ method: request.method, headers: request.headers, form });
      wake?.();
      const answer = answers.shift() ?? 200;
      return typeof answer === "number" ? new Response(null, { status: answer }) : answer;
    },
  });
  return {
    uri: `http://127.0.0.1:${server.port}/logout`,
    answers,
    get received() {
      return received;
    },
    async next() {
      const end = performance.now() + DEADLINE_MS;
      for (;;) {
        const request = waiting.shift();
        if (request) return request;
        const left = end - performance.now();
        if (left <= 0) throw new Error(`no logout request within ${DEADLINE_MS} ms`);
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, left);
        wake = resolve;
        await promise;
        clearTimeout(timer);
      }
    },
    stop: () => server.stop(true),
  };
}
