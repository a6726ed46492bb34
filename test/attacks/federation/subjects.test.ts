/** What a provider calls its users, read as the name of somebody else. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { arriveIn, connectOauth2, isSignedIn, linkedTo, upstreamsAllowed } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});

describe("numbers that are larger than JavaScript's", () => {
  /** 2^53 and its neighbour are the same number after JSON.parse. Guard: federation/upstream/oauth2.ts, asWritten. */
  it("are the names of as many people as there are numbers", async () => {
    const connection = await connectOauth2(server, upstream);
    const ids = ["9007199254740992", "9007199254740993"];
    for (const id of ids) {
      upstream.behaviour.userinfo = () => new Response(`{"id":${id},"login":"user-${id}"}`);
      expect(isSignedIn((await arriveIn(server.url, connection)).browser)).toBe(true);
    }
    const owners = await Promise.all(ids.map(async (id) => (await linkedTo(server, connection, id))?.userId));
    expect(owners).not.toContain(undefined);
    expect(new Set(owners).size).toBe(2);
  });
});
