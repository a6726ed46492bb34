import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { auditEvents, clients } from "../../../src/db/schema/index.ts";
import {
  LEAD_SECONDS,
  listKeys,
  revokeKey,
  rotateDueKeys,
  rotateKey,
} from "../../../src/domain/keys/rotation.ts";
import {
  ensureKeyFor,
  HINT_SECONDS,
  INITIAL_ALGORITHMS,
  keyRingOf,
  signingKeyOf,
} from "../../../src/domain/keys/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { samlCredentials } from "../../../src/domain/saml-idp/credentials.ts";
import { createSamlClient, deleteSamlClient } from "../../../src/domain/saml-idp/service.ts";
import type { Tenant } from "../../../src/domain/tenants/service.ts";
import { isId, newId, uuidFromId } from "../../../src/lib/ids.ts";
import { createKeyFixture, DAY, type KeyFixture } from "./support.ts";

let fixture: KeyFixture;
beforeAll(async () => {
  fixture = await createKeyFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const HOUR = 3600;
const kids = async (tenant: Tenant) => {
  const { jwks } = await keyRingOf(fixture.deps, tenant.id);
  return (JSON.parse(jwks.body) as { keys: { kid: string; alg: string }[] }).keys;
};
const kidsOf = async (tenant: Tenant, alg: string) =>
  (await kids(tenant)).filter((key) => key.alg === alg).map(({ kid }) => kid);
const signer = async (tenant: Tenant) => (await signingKeyOf(fixture.deps, tenant.id, "ES256")).kid;

describe("the scheduled rotation", () => {
  it("leaves keys alone that have not signed for long enough", async () => {
    const tenant = await fixture.newTenant("fresh");
    fixture.clock.advance(88 * DAY);
    await rotateDueKeys(fixture.deps);
    expect(await kids(tenant)).toHaveLength(INITIAL_ALGORITHMS.length);
  });

  it("leaves the certificate that SAML peers were given, until somebody rotates it", async () => {
    const tenant = await fixture.newTenant("peers", { key_rotation_days: 30 });
    const [first = ""] = await kidsOf(tenant, "RS256");
    const described = { name: "App", entity_id: "urn:app", acs_urls: [{ url: "https://app.example/acs" }] };
    const by = { actor: { type: "system" as const }, context: systemContext };
    const client = await createSamlClient(fixture.deps, tenant.id, described, by);
    fixture.clock.advance(100 * DAY);
    await rotateDueKeys(fixture.deps);
    expect(await kidsOf(tenant, "RS256")).toEqual([first]);
    expect(await kidsOf(tenant, "ES256")).toHaveLength(2);

    const { id } = await rotateKey(fixture.deps, tenant, "RS256", { atOnce: false });
    expect(await kidsOf(tenant, "RS256")).toEqual([first, id]);
    const { signer: signs, published } = await samlCredentials(fixture.deps, tenant.id);
    expect(published).toHaveLength(2);
    fixture.clock.advance(DAY);
    expect((await samlCredentials(fixture.deps, tenant.id)).signer.certificate).not.toEqual(
      signs.certificate,
    );

    await deleteSamlClient(fixture.deps, tenant.id, client.id, by);
    fixture.clock.advance(100 * DAY);
    await rotateDueKeys(fixture.deps);
    expect((await kidsOf(tenant, "RS256")).length).toBeGreaterThan(1);
  });

  it("publishes the next key one day before it signs, once for each algorithm", async () => {
    const tenant = await fixture.newTenant("lead", { key_rotation_days: 30 });
    const first = await signer(tenant);
    fixture.clock.advance(29 * DAY);
    await rotateDueKeys(fixture.deps);
    expect((await kids(tenant)).map(({ alg }) => alg).toSorted()).toEqual(
      [...INITIAL_ALGORITHMS, ...INITIAL_ALGORITHMS].toSorted(),
    );
    expect(await signer(tenant)).toBe(first);
    expect((await rotateDueKeys(fixture.deps)).published).toBe(0);

    fixture.clock.advance(LEAD_SECONDS - 1);
    expect(await signer(tenant)).toBe(first);
    fixture.clock.advance(1);
    const second = await signer(tenant);
    expect(second).not.toBe(first);
    expect(await kidsOf(tenant, "ES256")).toEqual([first, second]);
  });

  it("retires a key only when the last token that it signed has expired, of clients with long ones, too", async () => {
    const tenant = await fixture.newTenant("retire", { key_rotation_days: 30 });
    const lifetime = 3 * DAY;
    await fixture.deps.db
      .update(clients)
      .set({ idTokenLifetimeSeconds: lifetime })
      .where(eq(clients.tenantId, tenant.id));
    const first = await signer(tenant);
    fixture.clock.advance(29 * DAY);
    await rotateDueKeys(fixture.deps);
    fixture.clock.advance(DAY);
    await rotateDueKeys(fixture.deps);
    fixture.clock.advance(lifetime);
    await rotateDueKeys(fixture.deps);
    expect(await kidsOf(tenant, "ES256")).toContain(first);
    fixture.clock.advance(2 * HOUR);
    const ring = await keyRingOf(fixture.deps, tenant.id);
    expect(await kidsOf(tenant, "ES256")).not.toContain(first);
    expect(ring.verificationKey(first)).toBeUndefined();
  });

  it("keeps a retired key for id_token_hints as long as a session may last, and no longer", async () => {
    const tenant = await fixture.newTenant("hints", { key_rotation_days: 30 });
    const first = await signer(tenant);
    fixture.clock.advance(29 * DAY);
    await rotateDueKeys(fixture.deps);
    fixture.clock.advance(DAY);
    await rotateDueKeys(fixture.deps);
    fixture.clock.advance(2 * DAY);
    const hintKey = async () => (await keyRingOf(fixture.deps, tenant.id)).hintVerificationKey(first)?.kid;
    expect((await keyRingOf(fixture.deps, tenant.id)).verificationKey(first)).toBeUndefined();
    expect(await hintKey()).toBe(first);
    fixture.clock.advance(HINT_SECONDS);
    fixture.deps.caches.clear();
    expect(await hintKey()).toBeUndefined();
  });

  it("publishes one key when two workers run it at once", async () => {
    const tenant = await fixture.newTenant("race", { key_rotation_days: 30 });
    fixture.clock.advance(29 * DAY);
    const others = await Promise.all([fixture.another(), fixture.another()]);
    await Promise.all([...others, fixture.deps].map(rotateDueKeys));
    await Promise.all(others.map((other) => other.close()));
    expect(await kidsOf(tenant, "ES256")).toHaveLength(2);
    expect(await kidsOf(tenant, "RS256")).toHaveLength(2);
  });

  it("is seen by a process that has the keys in its cache", async () => {
    const tenant = await fixture.newTenant("cached", { key_rotation_days: 30 });
    const other = await fixture.another();
    const before = await signingKeyOf(other, tenant.id, "ES256");
    fixture.clock.advance(29 * DAY);
    await rotateDueKeys(fixture.deps);
    fixture.clock.advance(DAY);
    // Even if it had missed the word of it until now.
    other.caches.clear();
    expect((await signingKeyOf(other, tenant.id, "ES256")).kid).not.toBe(before.kid);
    await other.close();
  });

  it("goes on with other tenants when the keys of one cannot be made", async () => {
    const broken = await fixture.newTenant("broken", { key_rotation_days: 30 });
    const sound = await fixture.newTenant("sound", { key_rotation_days: 30 });
    // The next key's place is taken: inserting it fails.
    await fixture.deps.db.$client.unsafe(`
      create function refuse_key() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse_key before insert on signing_keys for each row
        when (new.tenant_id = '${uuidFromId("tenant", broken.id)}') execute function refuse_key()`);
    fixture.clock.advance(29 * DAY);
    const { failed } = await rotateDueKeys(fixture.deps);
    expect(failed).toBe(INITIAL_ALGORITHMS.length);
    expect(await kidsOf(sound, "ES256")).toHaveLength(2);
    await fixture.deps.db.$client.unsafe("drop trigger refuse_key on signing_keys");
  });
});

describe("a rotation that somebody asks for", () => {
  it("publishes the next key for tomorrow, and says so when it waits already", async () => {
    const tenant = await fixture.newTenant("asked");
    const first = await signer(tenant);
    const next = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: false });
    expect(await kidsOf(tenant, "ES256")).toEqual([first, next.id]);
    expect(await signer(tenant)).toBe(first);
    await expect(rotateKey(fixture.deps, tenant, "ES256", { atOnce: false })).rejects.toMatchObject({
      status: 409,
    });
  });

  it("lets the waiting key sign at once, or a new one where none waits", async () => {
    const tenant = await fixture.newTenant("at-once");
    const waiting = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: false });
    expect((await rotateKey(fixture.deps, tenant, "ES256", { atOnce: true })).id).toBe(waiting.id);
    expect(await signer(tenant)).toBe(waiting.id);
    const another = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: true });
    fixture.clock.advance(1);
    expect(another.id).not.toBe(waiting.id);
    expect(await signer(tenant)).toBe(another.id);
    expect(await kidsOf(tenant, "ES256")).toContain(waiting.id);
  });
});

describe("revoking a key", () => {
  it("takes it out of the JWK set and out of every use, and has another one sign at once", async () => {
    const tenant = await fixture.newTenant("leaked");
    const leaked = await signingKeyOf(fixture.deps, tenant.id, "ES256");
    const { replacedBy } = await revokeKey(fixture.deps, tenant, idOf(leaked.kid));
    const ring = await keyRingOf(fixture.deps, tenant.id);
    expect(await signer(tenant)).toBe(replacedBy ?? "");
    expect(await kidsOf(tenant, "ES256")).toEqual([replacedBy ?? ""]);
    expect(ring.verificationKey(leaked.kid)).toBeUndefined();
    expect(ring.hintVerificationKey(leaked.kid)).toBeUndefined();
    const types = await fixture.deps.db
      .select({ type: auditEvents.type })
      .from(auditEvents)
      .where(and(eq(auditEvents.tenantId, tenant.id), eq(auditEvents.targetId, leaked.kid)));
    expect(types.map(({ type }) => type)).toContain("key.revoked");
  });

  it("lets the waiting key take over, never an older one", async () => {
    const tenant = await fixture.newTenant("takes-over");
    const older = await signer(tenant);
    const current = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: true });
    fixture.clock.advance(1);
    const waiting = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: false });
    expect((await revokeKey(fixture.deps, tenant, current.id)).replacedBy).toBe(waiting.id);
    expect(await signer(tenant)).toBe(waiting.id);
    expect(await kidsOf(tenant, "ES256")).toEqual([older, waiting.id]);
  });

  it("replaces nothing when the key did not sign any more, or not yet", async () => {
    const tenant = await fixture.newTenant("no-signer");
    const older = await signer(tenant);
    const current = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: true });
    fixture.clock.advance(1);
    const waiting = await rotateKey(fixture.deps, tenant, "ES256", { atOnce: false });
    for (const kid of [idOf(older), waiting.id]) {
      expect((await revokeKey(fixture.deps, tenant, kid)).replacedBy).toBeUndefined();
    }
    expect(await kidsOf(tenant, "ES256")).toEqual([current.id]);
  });

  it("is refused for a key that is not the tenant's, and for one that was revoked before", async () => {
    const tenant = await fixture.newTenant("mine");
    const other = await fixture.newTenant("theirs");
    const theirs = idOf(await signer(other));
    await expect(revokeKey(fixture.deps, tenant, theirs)).rejects.toMatchObject({ status: 404 });
    await expect(revokeKey(fixture.deps, tenant, newId("signingKey"))).rejects.toMatchObject({ status: 404 });
    expect(await kidsOf(other, "ES256")).toEqual([theirs]);
    await revokeKey(fixture.deps, other, theirs);
    await expect(revokeKey(fixture.deps, other, theirs)).rejects.toMatchObject({ status: 409 });
  });
});

describe("a key of an algorithm that the tenant has none of", () => {
  it("is made when it is needed, once", async () => {
    const tenant = await fixture.newTenant("ps256");
    expect((await keyRingOf(fixture.deps, tenant.id)).algorithms).not.toContain("PS256");
    const others = await Promise.all([fixture.another(), fixture.another()]);
    await Promise.all([...others, fixture.deps].map((deps) => ensureKeyFor(deps, tenant.id, "PS256")));
    const made = await Promise.all(
      [...others, fixture.deps].map(async (deps) => (await signingKeyOf(deps, tenant.id, "PS256")).kid),
    );
    await Promise.all(others.map((other) => other.close()));
    expect(new Set(made).size).toBe(1);
    expect(await kidsOf(tenant, "PS256")).toEqual([made[0] ?? ""]);
    expect((await keyRingOf(fixture.deps, tenant.id)).algorithms).toContain("PS256");
  });

  it("signs for whoever asks, without having been ordered", async () => {
    const tenant = await fixture.newTenant("on-demand");
    expect((await signingKeyOf(fixture.deps, tenant.id, "PS256")).alg).toBe("PS256");
  });
});

describe("the list of keys", () => {
  it("says of each what it is good for", async () => {
    const tenant = await fixture.newTenant("list", { key_rotation_days: 30 });
    const first = idOf(await signer(tenant));
    fixture.clock.advance(29 * DAY);
    await rotateDueKeys(fixture.deps);
    const states = async () =>
      (await listKeys(fixture.deps, tenant)).filter(({ alg }) => alg === "ES256").map(({ state }) => state);
    expect(await states()).toEqual(["next", "signing"]);
    fixture.clock.advance(DAY);
    await rotateDueKeys(fixture.deps);
    expect(await states()).toEqual(["signing", "verifying"]);
    fixture.clock.advance(2 * DAY);
    expect(await states()).toEqual(["signing", "retired"]);
    await revokeKey(fixture.deps, tenant, first);
    expect(await states()).toEqual(["signing", "revoked"]);
  });
});

function idOf(kid: string) {
  if (!isId("signingKey", kid)) throw new Error("not a key's id");
  return kid;
}
