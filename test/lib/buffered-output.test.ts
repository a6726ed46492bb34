import { describe, expect, it } from "bun:test";
import pino from "pino";
import { createBufferedOutput } from "../../src/lib/buffered-output.ts";

function logger() {
  const sent: string[] = [];
  const log = pino(
    { level: "info" },
    createBufferedOutput((text) => sent.push(text)),
  );
  const messages = () =>
    sent.map((text) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).msg),
    );
  return { log, messages };
}

describe("a log's output", () => {
  it("sends a warning and an error at once, after everything that was written before", () => {
    const { log, messages } = logger();
    log.info("one");
    log.info("two");
    expect(messages()).toEqual([]);
    log.warn("three");
    expect(messages()).toEqual([["one", "two", "three"]]);
    log.error("four");
    expect(messages()).toEqual([["one", "two", "three"], ["four"]]);
  });

  it("sends what is much without waiting", () => {
    const { log, messages } = logger();
    log.info("x".repeat(40_000));
    expect(messages()).toHaveLength(1);
  });

  it("sends the rest soon", async () => {
    const sent = Promise.withResolvers<string>();
    pino({ level: "info" }, createBufferedOutput(sent.resolve)).info("later");
    // The output's own timer does not keep a process alive.
    const alive = setInterval(() => {}, 1000);
    expect(JSON.parse(await sent.promise).msg).toBe("later");
    clearInterval(alive);
  });
});
