/** How long a client's document counts, and what its changes do (draft-ietf-oauth-client-id-metadata-document-02). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { clients } from "../../../src/db/schema/index.ts";
import { findDocumentClient } from "../../../src/domain/clients/metadata-documents.ts";
import { describeClient, findClientById, updateClient } from "../../../src/domain/clients/service.ts";
import { findConsent, grantConsent } from "../../../src/domain/grants/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findTenantById } from "../../../src/domain/tenants/service.ts";
import { auditOf } from "../../api/native/admin/support.ts";
import { type Setting, startSetting } from "./support.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting();
});
afterAll(() => setting.stop());

describe("§5.2: caching", () => {
  it("keeps a document for as long as its headers say", async () => {
    const clientId = setting.publish({ client_name: "Old" }, { "cache-control": "max-age=600" });
    await setting.findClient(clientId);
    setting.republish(clientId, { client_name: "New" });
    setting.server.clock.advance(599);
    expect((await setting.findClient(clientId))?.name).toBe("Old");
    setting.server.clock.advance(1);
    expect((await setting.findClient(clientId))?.name).toBe("New");
    expect(setting.visitsOf(clientId)).toBe(2);
  });

  it("goes on with what it read while the host is in trouble, for two days", async () => {
    const clientId = setting.publish({}, { "cache-control": "max-age=600" });
    await setting.findClient(clientId);
    setting.host.publish(new URL(clientId).pathname, { status: 503 });
    setting.server.clock.advance(3600);
    expect(await setting.findClient(clientId)).toBeDefined();
    // And does not ask again at once.
    await setting.findClient(clientId);
    expect(setting.visitsOf(clientId)).toBe(2);
    setting.server.clock.advance(47 * 3600 - 60);
    expect(await setting.findClient(clientId)).toBeDefined();
    setting.server.clock.advance(60);
    expect(await setting.findClient(clientId)).toBeUndefined();
  });

  it("ends a client whose document is gone, or is one no more", async () => {
    for (const publication of [{ status: 404 }, { status: 410 }, { body: "<html>" }]) {
      const clientId = setting.publish();
      await setting.findClient(clientId);
      setting.host.publish(new URL(clientId).pathname, publication);
      setting.server.clock.advance(3600);
      expect(await setting.findClient(clientId)).toBeUndefined();
    }
  });
});

describe("§8.4: changes", () => {
  const expire = () => setting.server.clock.advance(3600);

  async function consented(clientId: string) {
    const client = await setting.findClient(clientId);
    if (!client) throw new Error("no client");
    return { client, consent: await findConsent(setting.server.deps, setting.user, client) };
  }

  async function consentTo(clientId: string): Promise<void> {
    const { client } = await consented(clientId);
    await grantConsent(setting.server.deps, {
      user: setting.user,
      client,
      scopes: ["openid"],
      resources: [],
      context: systemContext,
    });
    expect((await consented(clientId)).consent).toBeDefined();
  }

  it("of the name or the redirect URIs need a new consent", async () => {
    for (const change of [{ client_name: "Bank" }, { redirect_uris: ["https://other.example.test/cb"] }]) {
      const clientId = setting.publish();
      await consentTo(clientId);
      setting.republish(clientId, change);
      expire();
      expect((await consented(clientId)).consent).toBeUndefined();
    }
  });

  it("of nothing, or of keys, do not: keys are rotated", async () => {
    const clientId = setting.publish();
    await consentTo(clientId);
    expire();
    expect((await consented(clientId)).consent).toBeDefined();
    setting.republish(clientId, { jwks_uri: "https://keys.example.test/jwks.json" });
    expire();
    expect((await consented(clientId)).consent).toBeDefined();
  });

  it("are written down", async () => {
    const clientId = setting.publish();
    const { client } = await consented(clientId);
    setting.republish(clientId, { client_name: "Bank" });
    expire();
    await setting.findClient(clientId);
    expire();
    await setting.findClient(clientId);
    expect(await auditOf(setting.server, client.id)).toMatchObject([
      { type: "client.created", details: { after: { client_name: "MCP" } } },
      { type: "client.updated", details: { before: { client_name: "MCP" }, after: { client_name: "Bank" } } },
    ]);
  });

  it("cannot enable what an administrator disabled", async () => {
    const clientId = setting.publish();
    const { client } = await consented(clientId);
    const found = await findClientById(setting.server.deps, setting.server.tenant.id, client.id);
    if (!found) throw new Error("no client");
    const by = { actor: { type: "system" }, context: systemContext } as const;
    const change = (changes: Record<string, unknown>) =>
      updateClient(
        setting.server.deps,
        setting.server.tenant.id,
        client.id,
        { ...describeClient(found), ...changes },
        by,
      );
    expect(await change({ name: "Bank" }).catch((error) => error.status)).toBe(409);
    expect(await change({ first_party: true }).catch((error) => error.status)).toBe(409);
    await change({ enabled: false });
    expect(await setting.findClient(clientId)).toBeUndefined();
    // Nor while a request is under way that found it before.
    const tenant = await findTenantById(setting.server.deps, setting.server.tenant.id);
    if (!tenant) throw new Error("no tenant");
    const foundBefore = { ...found, metadataExpiresAt: null };
    expect(await findDocumentClient(setting.server.deps, tenant, clientId, foundBefore)).toBeUndefined();
    expect(setting.visitsOf(clientId)).toBe(2);
    setting.republish(clientId, { enabled: true, client_name: "Bank" });
    expire();
    expect(await setting.findClient(clientId)).toBeUndefined();
    const [row] = await setting.server.deps.db
      .select({ enabled: clients.enabled })
      .from(clients)
      .where(and(eq(clients.tenantId, setting.server.tenant.id), eq(clients.clientId, clientId)));
    expect(row).toEqual({ enabled: false });
  });
});
