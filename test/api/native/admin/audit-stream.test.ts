/** The live stream of audit events: nothing left out, nothing twice, and over when the token is. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { record } from "../../../../src/domain/audit/service.ts";
import { systemContext } from "../../../../src/domain/request-context.ts";
import { createTenant } from "../../../../src/domain/tenants/service.ts";
import type { Executor } from "../../../../src/db/client.ts";
import type { Id } from "../../../../src/lib/ids.ts";
import { login, register } from "../../../attacks/support.ts";
import { eventually } from "../../../support/queue.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { administratorsToken } from "./support.ts";

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  token = await administratorsToken(server);
});
afterAll(() => server.stop());

const write = (
  number: number,
  {
    executor = server.deps.db,
    tenantId = server.tenant.id,
  }: { executor?: Executor; tenantId?: Id<"tenant"> } = {},
) =>
  record(executor, {
    tenantId,
    type: "grant.denied",
    actor: { type: "system" },
    details: { number },
    context: systemContext,
    now: server.clock.now(),
  });

/** Reads a stream until it is aborted or ends. */
async function watch(headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/api/v1/admin/audit-events/stream`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: abort.signal,
  });
  const state = { response, text: "", ended: false, close: () => abort.abort() };
  const read = async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) state.text += decoder.decode(chunk, { stream: true });
    } catch {
      // Aborted by the test.
    }
    state.ended = true;
  };
  if (response.ok) {
    void read();
    await eventually("the stream's first bytes", () => state.text.includes("retry: 3000"));
  }
  return state;
}

type Watched = Awaited<ReturnType<typeof watch>>;
const numbersOf = ({ text }: Watched) =>
  [...text.matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
const lastId = ({ text }: Watched) => [...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? "";
/** A stream without Last-Event-ID begins when it is first read. */
async function begun(stream: Watched) {
  let probe = 900_000;
  await eventually("the stream's beginning", async () => {
    await write(probe++);
    return numbersOf(stream).some((number) => number >= 900_000);
  });
}
const own = (stream: Watched) => numbersOf(stream).filter((number) => number < 900_000);

describe("the live stream of audit events", () => {
  it("shows what happens, and goes on after Last-Event-ID", async () => {
    const first = await watch();
    expect(first.response.headers.get("content-type")).toContain("text/event-stream");
    await begun(first);
    await write(1);
    await write(2);
    await eventually("both events", () => own(first).length === 2);
    expect(first.text).toContain("event: grant.denied\ndata: {");
    first.close();
    await write(3);
    const second = await watch({ "last-event-id": lastId(first) });
    await write(4);
    await eventually("the rest", () => own(second).length === 2);
    expect(own(second)).toEqual([3, 4]);
    second.close();
  });

  it("leaves out nothing that was written first and committed last, and shows nothing twice", async () => {
    const stream = await watch();
    await begun(stream);
    const mayCommit = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const slow = server.deps.db.transaction(async (tx) => {
      await write(10, { executor: tx });
      written.resolve();
      await mayCommit.promise;
    });
    await written.promise;
    await write(11);
    mayCommit.resolve();
    await slow;
    await eventually("both", () => own(stream).length >= 2);
    expect(own(stream)).toEqual([10, 11]);
    stream.close();
  });

  it("shows nothing of another tenant, and is for administrators", async () => {
    const other = await createTenant(server.deps, { slug: "elsewhere", name: "Elsewhere" });
    const stream = await watch();
    await begun(stream);
    await write(20, { tenantId: other.id });
    await write(21);
    await eventually("the own event", () => own(stream).includes(21));
    expect(own(stream)).toEqual([21]);
    stream.close();

    const person = await register(server.url);
    token = (await login(server.url, person.email)).access_token;
    expect((await watch()).response.status).toBe(403);
  });

  it("refuses what is no Last-Event-ID", async () => {
    expect((await watch({ "last-event-id": "x" })).response.status).toBe(400);
  });

  it("lets only so many watch, and others again when some have gone", async () => {
    const streams = await Promise.all(Array.from({ length: 10 }, () => watch()));
    const refused = await watch();
    expect(refused.response.status).toBe(503);
    expect(refused.response.headers.get("retry-after")).toBe("60");
    for (const stream of streams) stream.close();
    await eventually("a free place", async () => {
      const stream = await watch();
      stream.close();
      return stream.response.status === 200;
    });
  });

  it("ends with the administrator's token", async () => {
    const stream = await watch();
    await begun(stream);
    server.clock.advance(3601);
    await eventually("its end", () => stream.ended);
  });
});
