/** Attacks on revocation (RFC 7009 §5), and on what must stay ended. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { count } from "drizzle-orm";
import { revokedAccessTokens } from "../../src/db/schema/index.ts";
import { createDeps } from "../../src/deps.ts";
import { createLogger } from "../../src/lib/log.ts";
import { serve } from "../../src/server.ts";
import { configureClient } from "../support/client-row.ts";
import { freePort } from "../support/free-port.ts";
import { postForm, startTestServer, type TestServer } from "../support/server.ts";
import {
  type App,
  basicAuthorization,
  type Browser,
  createApp,
  createOtherTenant,
  errorOf,
  exchangeCode,
  obtainCode,
  refresh,
  signedIn,
  type Tokens,
  tokensOf,
  whereItWorks,
} from "./support.ts";

let server: TestServer;
let app: App;
let browser: Browser;

beforeAll(async () => {
  server = await startTestServer();
  app = await createApp(server);
  ({ browser } = await signedIn(server.url));
});
afterAll(() => server.stop());

const refused: [number, string] = [400, "invalid_grant"];
const authorized = async (of = app): Promise<Tokens> =>
  tokensOf(exchangeCode(of, await obtainCode(browser, of)));
const revoke = (by: App, token: string) =>
  postForm(
    `${by.base}/oauth/revoke`,
    by.secret === undefined ? { token, client_id: by.client.clientId } : { token },
    basicAuthorization(by),
  );

describe("another client", () => {
  /** RFC 7009 §2.1: signing people out of other applications. Guard: protocol/oauth/revocation.ts, revocableToken. */
  it("that holds a stolen token cannot end it, nor its family", async () => {
    const tokens = await authorized();
    for (const thief of [await createApp(server), await createApp(server, { public: true })]) {
      expect(await errorOf(revoke(thief, tokens.access_token))).toEqual(refused);
      expect(await errorOf(revoke(thief, tokens.refresh_token))).toEqual(refused);
    }
    expect((await whereItWorks(server.url, tokens.access_token)).userinfo).toBe(200);
    expect((await refresh(app, tokens.refresh_token)).status).toBe(200);
  });

  /** Guard: findClient, findLiveAccessToken and findRefreshToken (by tenant). */
  it("of another tenant changes nothing, and is told nothing", async () => {
    const other = await createOtherTenant(server, "revoker");
    const theirs = await createApp(server, {}, other);
    const tokens = await authorized();
    for (const token of [tokens.access_token, tokens.refresh_token])
      expect((await revoke(theirs, token)).status).toBe(200);
    expect((await whereItWorks(server.url, tokens.access_token)).userinfo).toBe(200);
    expect((await refresh(app, tokens.refresh_token)).status).toBe(200);
  });

  /** Guard: requireClient. */
  it("cannot name the client without its secret", async () => {
    const { refresh_token } = await authorized();
    const fields = { token: refresh_token, client_id: app.client.clientId };
    expect(await errorOf(postForm(`${server.url}/oauth/revoke`, fields))).toEqual([401, "invalid_client"]);
    expect((await refresh(app, refresh_token)).status).toBe(200);
  });
});

describe("made-up tokens", () => {
  /** RFC 7009 §5: filling the list of what was revoked. Guard: domain/tokens/revoke.ts (only tokens that hold). */
  it("leave nothing behind", async () => {
    const rows = async () =>
      (await server.deps.db.select({ rows: count() }).from(revokedAccessTokens))[0]?.rows;
    const before = await rows();
    const { access_token } = await authorized();
    const [header, payload] = access_token.split(".");
    for (const token of ["x", `${header}.${payload}.AAAA`, `${header}.${payload}.`])
      expect((await revoke(app, token)).status).toBe(200);
    expect(await rows()).toBe(before);
  });

  /** Guard: access-tokens/access.ts, findOpaque (matchesHash): the id of an opaque token is no secret. */
  it("of an opaque token's id do not end it", async () => {
    const opaque = await createApp(server);
    await configureClient(server, opaque, { accessTokenFormat: "opaque" });
    const { access_token } = await authorized(opaque);
    expect((await revoke(opaque, access_token.slice(0, -43) + "A".repeat(43))).status).toBe(200);
    expect((await whereItWorks(server.url, access_token)).userinfo).toBe(200);
  });

  /** Guard: access-tokens/repo.ts, insertRevocation (one statement). */
  it("are no way to an error: ten requests at once for one token end it once", async () => {
    const { access_token } = await authorized();
    const answers = await Promise.all(Array.from({ length: 10 }, () => revoke(app, access_token)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect((await whereItWorks(server.url, access_token)).userinfo).toBe(401);
  });
});

describe("what ended stays ended when the server starts anew", () => {
  /** Nothing of it is kept in a process. Guard: token_families.revoked_at, revoked_access_tokens, refresh_tokens.rotated_at. */
  it("a revoked access token, a revoked family, and a rotated refresh token, which ends its family", async () => {
    const [single, whole, rotated] = [await authorized(), await authorized(), await authorized()];
    await revoke(app, single.access_token);
    await revoke(app, whole.refresh_token);
    const next = await tokensOf(refresh(app, rotated.refresh_token));
    server.clock.advance(11);

    const port = freePort();
    const log = createLogger({ level: "silent", name: "test" });
    const deps = await createDeps({ ...server.config, port }, { process: "api", clock: server.clock, log });
    const again = await serve(deps);
    try {
      const restarted: App = { ...app, base: `http://localhost:${port}` };
      for (const { access_token } of [single, whole])
        expect(await whereItWorks(restarted.base, access_token)).toEqual({ me: 401, userinfo: 401 });
      expect(await errorOf(refresh(restarted, whole.refresh_token))).toEqual(refused);
      expect(await errorOf(refresh(restarted, rotated.refresh_token))).toEqual(refused);
      expect(await errorOf(refresh(restarted, next.refresh_token))).toEqual(refused);
    } finally {
      await again.stop();
      await deps.close();
    }
  });
});
