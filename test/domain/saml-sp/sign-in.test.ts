import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { count, eq } from "drizzle-orm";
import { upstreamSamlSessions } from "../../../src/db/schema/index.ts";
import { cleanUp } from "../../../src/domain/maintenance/service.ts";
import { requireFreshProof } from "../../../src/domain/saml-sp/sign-in.ts";
import { FederationRefusal } from "../../../src/domain/federation/refusals.ts";
import { connectSaml, travel } from "../../support/saml-connection.ts";
import { newCredentials } from "../../support/saml-identity-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

describe("a proof that an application wants fresh (OpenID Connect Core §3.1.2.1)", () => {
  it("is refused when the identity provider kept an older one, and only then", async () => {
    const connection = await connectSaml(server, await newCredentials());
    const isFresh = (ageSeconds: number, wanted: { anew: boolean; maxAge: number | undefined }) => {
      const authnInstant = new Date(server.clock.now().getTime() - ageSeconds * 1000);
      try {
        requireFreshProof(server.deps, connection, { authnInstant }, wanted);
        return true;
      } catch (error) {
        if (error instanceof FederationRefusal) return false;
        throw error;
      }
    };
    const anything = { anew: false, maxAge: undefined };
    const anew = { anew: true, maxAge: undefined };
    const within = { anew: false, maxAge: 100 };
    expect([isFresh(86_400, anything), isFresh(960, anew), isFresh(160, within)]).toEqual([true, true, true]);
    expect([isFresh(961, anew), isFresh(161, within)]).toEqual([false, false]);
  });
});

describe("what is remembered of an identity provider's session", () => {
  it("is forgotten when it can have no session of ours any more", async () => {
    const credentials = await newCredentials();
    const connection = await connectSaml(server, credentials);
    await travel(server, connection, credentials, { nameId: "kept@example.com" });
    const ofThis = eq(upstreamSamlSessions.connectionId, connection.id);
    const left = async () =>
      (await server.deps.db.select({ rows: count() }).from(upstreamSamlSessions).where(ofThis))[0]?.rows;
    await cleanUp(server.deps, "sessions");
    expect(await left()).toBe(1);
    await server.deps.db
      .update(upstreamSamlSessions)
      .set({ expiresAt: new Date(0) })
      .where(ofThis);
    await cleanUp(server.deps, "sessions");
    expect(await left()).toBe(0);
  });
});
