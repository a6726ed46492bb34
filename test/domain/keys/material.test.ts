import { createPublicKey, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { signingKeys } from "../../../src/db/schema/index.ts";
import { resealKeys } from "../../../src/domain/keys/rotation.ts";
import { keyRingOf, signingKeyOf } from "../../../src/domain/keys/service.ts";
import { sha256 } from "../../../src/lib/crypto.ts";
import { MasterKeyError } from "../../../src/lib/master-keys.ts";
import { testMasterKey } from "../../support/queue.ts";
import { createKeyFixture, type KeyFixture } from "./support.ts";

let fixture: KeyFixture;
beforeAll(async () => {
  fixture = await createKeyFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

interface Published {
  kty: string;
  kid: string;
  alg: string;
  n?: string;
  e?: string;
  x5c?: string[];
  "x5t#S256"?: string;
}

describe("x5c (RFC 7517 §4.7)", () => {
  it("holds a certificate of the very key, for RS256 and for nothing else", async () => {
    const tenant = await fixture.newTenant("certified");
    await signingKeyOf(fixture.deps, tenant.id, "PS256");
    const { jwks } = await keyRingOf(fixture.deps, tenant.id);
    const { keys } = JSON.parse(jwks.body) as { keys: Published[] };
    expect(keys.filter((key) => key.x5c).map(({ alg }) => alg)).toEqual(["RS256"]);
    for (const key of keys.filter(({ x5c }) => x5c)) {
      const der = Buffer.from(key.x5c?.[0] ?? "", "base64");
      const certificate = new X509Certificate(der);
      const publicKey = createPublicKey({ key: { ...key }, format: "jwk" });
      expect(certificate.publicKey.equals(publicKey)).toBe(true);
      expect(certificate.verify(publicKey)).toBe(true);
      expect(certificate.subject).toBe(`CN=${tenant.id}`);
      expect(certificate.issuer).toBe(certificate.subject);
      expect(certificate.validFromDate <= fixture.clock.now()).toBe(true);
      // Longer than a key can sign (key_rotation_days) and be published after that.
      expect(certificate.validToDate.getUTCFullYear()).toBeGreaterThan(2045);
      expect(certificate.ca).toBe(false);
    }
  });

  it("comes with its thumbprint (RFC 7517 §4.9)", async () => {
    const tenant = await fixture.newTenant("thumbprint");
    const { jwks } = await keyRingOf(fixture.deps, tenant.id);
    const { keys } = JSON.parse(jwks.body) as { keys: Published[] };
    const key = keys.find(({ alg }) => alg === "RS256");
    const der = Buffer.from(key?.x5c?.[0] ?? "", "base64");
    expect(key?.["x5t#S256"]).toBe(sha256(der).toString("base64url"));
  });
});

describe("sealing keys anew", () => {
  const newMaster = `new:${Buffer.alloc(32, 9).toString("base64")}`;

  it("brings every tenant's keys under the first master key, after which the old one is not needed", async () => {
    const tenants = [await fixture.newTenant("seal-a"), await fixture.newTenant("seal-b")];
    const before = await signingKeyOf(fixture.deps, tenants[0]?.id ?? fail(), "ES256");
    const both = await fixture.another({ GATEWRIGHT_MASTER_KEY: `${newMaster},${testMasterKey}` });
    expect(await resealKeys(both)).toBeGreaterThanOrEqual(6);
    expect(await resealKeys(both)).toBe(0);
    await both.close();

    const onlyNew = await fixture.another({ GATEWRIGHT_MASTER_KEY: newMaster });
    for (const { id } of tenants) expect((await signingKeyOf(onlyNew, id, "RS256")).alg).toBe("RS256");
    const after = await signingKeyOf(onlyNew, tenants[0]?.id ?? fail(), "ES256");
    expect(after.kid).toBe(before.kid);
    expect(after.privateKey.equals(before.privateKey)).toBe(true);
    await onlyNew.close();
    const [row] = await fixture.deps.db
      .select({ under: signingKeys.masterKeyId })
      .from(signingKeys)
      .where(eq(signingKeys.masterKeyId, "test"));
    expect(row).toBeUndefined();
  });

  it("fails rather than lose a key whose master key is not configured", async () => {
    await fixture.newTenant("lost");
    const other = await fixture.another({ GATEWRIGHT_MASTER_KEY: newMaster });
    await expect(resealKeys(other)).rejects.toBeInstanceOf(MasterKeyError);
    await other.close();
  });
});

function fail(): never {
  throw new Error("there is no such tenant");
}
