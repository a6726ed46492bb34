import { describe, expect, it } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { findForeignKey } from "../../../src/domain/remote-documents/client-keys.ts";
import { createRemoteKeys } from "../../../src/domain/remote-documents/remote-keys.ts";
import { addSeconds } from "../../../src/lib/clock.ts";
import { OutboundError, type OutboundResponse } from "../../../src/outbound/client.ts";
import { selectForeignKey } from "../../../src/protocol/jose/foreign-keys.ts";

const URI = "https://client.example/jwks";
const jwk = (kid: string) => ({
  ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }),
  kid,
});
const [FIRST, SECOND] = [jwk("a"), jwk("b")];

/** A publisher whose answer the test writes, and a clock that it turns. */
function publisher() {
  const state = {
    now: new Date("2026-03-01T12:00:00Z"),
    document: JSON.stringify({ keys: [FIRST] }),
    headers: {} as Record<string, string>,
    status: 200,
    failing: false,
    asked: [] as string[],
    failures: [] as string[],
  };
  const outbound = {
    async request(url: string): Promise<OutboundResponse> {
      state.asked.push(url);
      await Promise.resolve();
      if (state.failing) throw new OutboundError("unreachable", "no");
      return { status: state.status, headers: state.headers, body: new TextEncoder().encode(state.document) };
    },
  };
  const remoteKeys = createRemoteKeys({ outbound, clock: { now: () => state.now } }, (url) =>
    state.failures.push(url),
  );
  const kidOf = (kid: string, uri = URI) =>
    remoteKeys.find(uri, (keys) => selectForeignKey(keys, { alg: "EdDSA", kid })).then((key) => key?.kid);
  const pass = (seconds: number) => {
    state.now = addSeconds(state.now, seconds);
  };
  return { state, remoteKeys, kidOf, pass };
}

describe("keys at a jwks_uri", () => {
  it("are fetched once while they are fresh, and again afterwards", async () => {
    const { state, kidOf, pass } = publisher();
    state.headers = { "cache-control": "max-age=300" };
    expect(await kidOf("a")).toBe("a");
    pass(299);
    expect(await kidOf("a")).toBe("a");
    expect(state.asked).toEqual([URI]);
    pass(1);
    state.document = JSON.stringify({ keys: [SECOND] });
    expect(await kidOf("a")).toBeUndefined();
    expect(state.asked).toHaveLength(2);
  });

  it("are fetched again for a kid that is not among them, so that a new key works", async () => {
    const { state, kidOf, pass } = publisher();
    await kidOf("a");
    state.document = JSON.stringify({ keys: [FIRST, SECOND] });
    pass(30);
    expect(await kidOf("b")).toBe("b");
    expect(state.asked).toHaveLength(2);
  });

  it("are not fetched for every unknown kid", async () => {
    const { state, kidOf, pass } = publisher();
    await kidOf("a");
    for (let kid = 0; kid < 50; kid++) expect(await kidOf(`x${kid}`)).toBeUndefined();
    expect(state.asked).toHaveLength(1);
    pass(30);
    for (let kid = 0; kid < 50; kid++) await kidOf(`x${kid}`);
    expect(state.asked).toHaveLength(2);
  });

  it("are fetched once for requests that come at the same time", async () => {
    const { state, kidOf } = publisher();
    expect(await Promise.all([kidOf("a"), kidOf("a"), kidOf("b")])).toEqual(["a", "a", undefined]);
    expect(state.asked).toHaveLength(1);
  });

  it("that cannot be had are not asked for again at once", async () => {
    const { state, kidOf, pass } = publisher();
    const broken: (() => void)[] = [
      () => (state.failing = true),
      () => (state.status = 302),
      () => (state.document = "<html>"),
    ];
    for (const [index, breaks] of broken.entries()) {
      const uri = `${URI}/${index}`;
      Object.assign(state, { failing: false, status: 200, document: "{}", asked: [], failures: [] });
      breaks();
      expect(await kidOf("a", uri)).toBeUndefined();
      pass(29);
      await kidOf("a", uri);
      expect([state.asked, state.failures]).toEqual([[uri], [uri]]);
      Object.assign(state, { failing: false, status: 200, document: JSON.stringify({ keys: [FIRST] }) });
      pass(1);
      expect(await kidOf("a", uri)).toBe("a");
    }
  });

  it("of one address are not those of another", async () => {
    const { state, kidOf } = publisher();
    await kidOf("a");
    state.document = JSON.stringify({ keys: [SECOND] });
    expect(await kidOf("a", "https://other.example/jwks")).toBeUndefined();
    expect(await kidOf("a")).toBe("a");
  });
});

describe("a client's key", () => {
  it("is among those registered by value, or at its address", async () => {
    const { state, remoteKeys } = publisher();
    const deps = { remoteKeys };
    const hint = { alg: "EdDSA", kid: "a" } as const;
    const byValue = { jwks: { keys: [FIRST] }, jwksUri: null };
    expect((await findForeignKey(deps, byValue, hint))?.kid).toBe("a");
    expect((await findForeignKey(deps, byValue, hint))?.kid).toBe("a");
    expect(state.asked).toEqual([]);
    expect((await findForeignKey(deps, { jwks: null, jwksUri: URI }, hint))?.kid).toBe("a");
    expect(state.asked).toEqual([URI]);
    expect(await findForeignKey(deps, { jwks: null, jwksUri: null }, hint)).toBeUndefined();
  });
});
