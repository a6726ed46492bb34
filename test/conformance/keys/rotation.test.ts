/** Keys as their users see them: verifiers that fetch the JWK set now and then, and keep what they have in between. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as client from "openid-client";
import { clients } from "../../../src/db/schema/index.ts";
import { revokeKey, rotateDueKeys, rotateKey } from "../../../src/domain/keys/rotation.ts";
import { signingKeyOf } from "../../../src/domain/keys/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { discover } from "../../support/relying-party.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, logIn, registerApplication, signedInBrowser, userinfoStatus } from "../support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const HOUR = 3600;
const DAY = 24 * HOUR;

/** A verifier that fetches the keys once and never again, as long as a test keeps it. */
const newVerifier = () =>
  createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`), {
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
type Verifier = ReturnType<typeof newVerifier>;

const verify = (token: string, verifier: Verifier) =>
  jwtVerify(token, verifier, { issuer: server.url, currentDate: server.clock.now() });

async function issuer(alg: string, lifetimeSeconds: number): Promise<() => Promise<string>> {
  const registered = await server.createClient({ grantTypes: ["client_credentials"] });
  await server.deps.db
    .update(clients)
    .set({ accessTokenSigningAlg: alg, accessTokenLifetimeSeconds: lifetimeSeconds })
    .where(eq(clients.id, registered.client.id));
  const config = await discover(server.url, registered);
  return async () => (await client.clientCredentialsGrant(config)).access_token;
}

describe("rotation over many weeks", () => {
  it("fails no verification, for tokens of any age and verifiers whose keys are nearly a day old", async () => {
    await server.configure({ key_rotation_days: 7 });
    const issuers = await Promise.all([
      issuer("ES256", HOUR),
      issuer("RS256", HOUR),
      issuer("EdDSA", 2 * DAY),
    ]);
    const first = await signingKeyOf(server.deps, server.tenant.id, "ES256");
    let verifier = newVerifier();
    let fetchedAt = server.clock.now();
    let outstanding: { token: string; exp: number }[] = [];
    const kids = new Set<string>();
    let verified = 0;

    const step = 5 * HOUR;
    for (let elapsed = 0; elapsed < 24 * DAY; elapsed += step) {
      await rotateDueKeys(server.deps);
      // Fetched anew only when what it has is 23 hours old.
      if (server.clock.now().getTime() - fetchedAt.getTime() >= 23 * HOUR * 1000) {
        verifier = newVerifier();
        fetchedAt = server.clock.now();
      }
      for (const issue of issuers) {
        const token = await issue();
        const { payload, protectedHeader } = await verify(token, verifier);
        kids.add(protectedHeader.kid ?? "");
        outstanding.push({ token, exp: payload.exp ?? 0 });
      }
      outstanding = outstanding.filter(({ exp }) => exp * 1000 > server.clock.now().getTime());
      // Those with the keys of their time, and those who fetch them this moment.
      for (const keys of [verifier, newVerifier()]) {
        for (const { token } of outstanding) {
          await verify(token, keys);
          verified++;
        }
      }
      server.clock.advance(step);
    }
    // Four keys of each algorithm signed, of which the first are gone by now.
    expect(kids.size).toBeGreaterThanOrEqual(9);
    expect(verified).toBeGreaterThan(1000);
    const { keys } = (await fetch(`${server.url}/.well-known/jwks.json`).then((answer) => answer.json())) as {
      keys: { kid: string }[];
    };
    expect(keys.map(({ kid }) => kid)).not.toContain(first.kid);
    expect(keys.length).toBeLessThanOrEqual(9);
  }, 120_000);
});

describe("openid-client across a rotation", () => {
  /** oidcc-server-rotate-keys */
  it("verifies ID tokens of before and after by the keys that it fetched in between", async () => {
    const user = await addUser(server, "rotated");
    const app = await registerApplication(server);
    const browser = await signedInBrowser(server, user);
    await rotateKey(server.deps, server.tenant, "RS256", { atOnce: false });
    const before = await logIn(app, browser, user);
    expect(before.tokens.claims()?.sub).toBe(user.id);
    server.clock.advance(DAY);
    const after = await logIn(app, browser, user);
    expect(after.tokens.claims()?.sub).toBe(user.id);
    const kidOf = (token: string | undefined) =>
      JSON.parse(Buffer.from(token?.split(".")[0] ?? "", "base64url").toString()).kid;
    expect(kidOf(after.tokens.id_token)).not.toBe(kidOf(before.tokens.id_token));
  });
});

describe("metadata", () => {
  it("lists the algorithms that the tenant has keys for, PS256 from its first use on", async () => {
    const algorithms = async () => {
      const response = await fetch(`${server.url}/.well-known/openid-configuration`);
      return ((await response.json()) as { id_token_signing_alg_values_supported: string[] })
        .id_token_signing_alg_values_supported;
    };
    expect((await algorithms()).toSorted()).toEqual(["ES256", "EdDSA", "RS256"]);
    await signingKeyOf(server.deps, server.tenant.id, "PS256");
    const deadline = performance.now() + 5000;
    while (!(await algorithms()).includes("PS256") && performance.now() < deadline) await Bun.sleep(20);
    expect((await algorithms()).toSorted()).toEqual(["ES256", "EdDSA", "PS256", "RS256"]);
  });
});

describe("a revoked key", () => {
  it("verifies nothing any more, here or at whoever fetches the keys, and others sign in its place", async () => {
    const issue = await issuer("ES256", HOUR);
    const token = await issue();
    const { kid } = await signingKeyOf(server.deps, server.tenant.id, "ES256");
    if (!isId("signingKey", kid)) throw new Error("not a key's id");
    expect((await verify(token, newVerifier())).protectedHeader.kid).toBe(kid);
    const user = await addUser(server, "leaked");
    const session = await logIn(await registerApplication(server), await signedInBrowser(server, user), user);
    expect(await userinfoStatus(server, session.tokens.access_token)).toBe(200);

    await revokeKey(server.deps, server.tenant, kid);
    await expect(verify(token, newVerifier())).rejects.toThrow("no applicable key");
    expect(await userinfoStatus(server, session.tokens.access_token)).toBe(401);
    expect((await verify(await issue(), newVerifier())).protectedHeader.kid).not.toBe(kid);
  });
});
