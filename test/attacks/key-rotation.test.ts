/** Attacks with keys that are old, stolen, or not ours yet. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { revokeKey, rotateDueKeys, rotateKey } from "../../src/domain/keys/rotation.ts";
import { keyRingOf, signingKeyOf } from "../../src/domain/keys/service.ts";
import type { Tenant } from "../../src/domain/tenants/service.ts";
import { isId } from "../../src/lib/ids.ts";
import type { SigningKey } from "../../src/protocol/jose/keys.ts";
import { signJwt } from "../../src/protocol/jose/sign-jwt.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant, login, register, whereItWorks } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const DAY = 86_400;

async function someToken(base = server.url): Promise<string> {
  return (await login(base, (await register(base)).username)).access_token;
}

/** What somebody who holds a key can make of a token that they saw: the same, for as long as they like. */
function forge(token: string, key: SigningKey, changes: Record<string, unknown> = {}): Promise<string> {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const exp = Math.floor(server.clock.now().getTime() / 1000) + 3600;
  return signJwt({ ...claims, exp, ...changes }, { typ: "at+jwt", key });
}

const current = (tenant: Tenant = server.tenant) => signingKeyOf(server.deps, tenant.id, "ES256");
const nowhere = { me: 401, userinfo: 401 };
const idOf = ({ kid }: SigningKey) => {
  if (!isId("signingKey", kid)) throw new Error("not a key's id");
  return kid;
};

/** Guard: keys/repo.ts, findUsable (revokedAt) and keys/rotation.ts, revokeKey. */
describe("a key that was stolen and revoked", () => {
  it("signs nothing that is believed, from the moment on that it is revoked", async () => {
    const token = await someToken();
    const stolen = await current();
    expect(await whereItWorks(server.url, await forge(token, stolen))).not.toEqual(nowhere);
    await revokeKey(server.deps, server.tenant, idOf(stolen));
    expect(await whereItWorks(server.url, token)).toEqual(nowhere);
    expect(await whereItWorks(server.url, await forge(token, stolen))).toEqual(nowhere);
    const fresh = await current();
    expect(fresh.kid).not.toBe(stolen.kid);
    expect(await whereItWorks(server.url, await forge(token, { ...stolen, kid: fresh.kid }))).toEqual(
      nowhere,
    );
  });
});

/** Guard: keys/service.ts, openRing (retiredAt) and soundUntil. */
describe("a key whose time is over", () => {
  it("signs nothing that is believed as an access token, in processes that kept it in their cache, too", async () => {
    await server.configure({ key_rotation_days: 30 });
    const token = await someToken();
    const old = await current();
    server.clock.advance(29 * DAY);
    await rotateDueKeys(server.deps);
    server.clock.advance(DAY);
    await rotateDueKeys(server.deps);
    const cached = await keyRingOf(server.deps, server.tenant.id);
    expect(cached.verificationKey(old.kid)).toBeDefined();
    server.clock.advance(DAY + 3601);
    expect(await whereItWorks(server.url, await forge(token, old))).toEqual(nowhere);
  });
});

/** Guard: keys/service.ts, one ring a tenant; verifyJwt (issuer). */
describe("a key of another tenant", () => {
  it("signs nothing that is believed here", async () => {
    const theirs = await createOtherTenant(server, "thieves");
    const token = await someToken();
    const key = await current(theirs.tenant);
    expect(await whereItWorks(server.url, await forge(token, key))).toEqual(nowhere);
    const ours = await current();
    expect(await whereItWorks(server.url, await forge(token, { ...key, kid: ours.kid }))).toEqual(nowhere);
  });
});

/** RFC 8725 §3.1. Guard: one algorithm a key (VerificationKey.alg). */
describe("a PS256 key", () => {
  it("does not verify what claims to be RS256, nor the other way round", async () => {
    const token = await someToken();
    const rs = await signingKeyOf(server.deps, server.tenant.id, "RS256");
    const ps = await signingKeyOf(server.deps, server.tenant.id, "PS256");
    expect(await whereItWorks(server.url, await forge(token, ps))).not.toEqual(nowhere);
    expect(await whereItWorks(server.url, await forge(token, { ...rs, alg: "PS256" }))).toEqual(nowhere);
    expect(await whereItWorks(server.url, await forge(token, { ...ps, alg: "RS256" }))).toEqual(nowhere);
  });
});

/** Guard: keys/rotation.ts, revokeKey never lets an older key sign again. */
describe("an older key, after the current one was revoked", () => {
  it("does not sign again", async () => {
    const older = await current();
    const { id } = await rotateKey(server.deps, server.tenant, "ES256", { atOnce: true });
    server.clock.advance(1);
    await revokeKey(server.deps, server.tenant, id);
    expect((await current()).kid).not.toBe(older.kid);
  });
});
