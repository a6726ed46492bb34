/** The tokens of an account that was unlinked are revoked at their connection (RFC 7009), as far as that works. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { externalAccounts, formerExternalTokens } from "../../../src/db/schema/index.ts";
import { revokeFormerTokens } from "../../../src/domain/external-accounts/revocation.ts";
import { unlinkExternalAccount } from "../../../src/domain/external-accounts/service.ts";
import { sealTokens } from "../../../src/domain/federation/tokens.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserById } from "../../../src/domain/users/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import { linkAccount } from "../../support/external-accounts.ts";
import { connectOidc, upstreamsAllowed } from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { until } from "../../support/scratch.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

let server: TestServer;
let upstream: Upstream;
/** Where the provider says that tokens are revoked; undefined: nowhere. */
let endpoint: string | undefined;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  upstream.behaviour.metadata = (metadata) => ({ ...metadata, revocation_endpoint: endpoint });
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});

/** Somebody links an account whose tokens are kept, and takes it off again. */
async function unlinked(tokens: { accessToken: string; refreshToken?: string }) {
  const connection = await connectOidc(server, upstream, { config: { keep_tokens: true } });
  const { person, id } = await linkAccount(
    server,
    { tenant: server.tenant, base: server.url },
    connection.id,
  );
  const sealed = sealTokens(server.deps, connection, id, tokens);
  if (!sealed || !isId("user", person.id)) throw new Error("nothing is kept");
  await server.deps.db
    .update(externalAccounts)
    .set({ sealedTokens: sealed.box, masterKeyId: sealed.keyId })
    .where(eq(externalAccounts.id, id));
  const user = await findUserById(server.deps, server.tenant.id, person.id);
  if (!user) throw new Error("nobody is there");
  await unlinkExternalAccount(server.deps, server.tenant, user, id, systemContext);
  return id;
}

const kept = async (id: Awaited<ReturnType<typeof unlinked>>) =>
  (await server.deps.db.select().from(formerExternalTokens).where(eq(formerExternalTokens.id, id))).length;
const revoke = (id: Awaited<ReturnType<typeof unlinked>>, last = false) =>
  revokeFormerTokens(server.deps, server.tenant.id, id, { last });

describe("revocation", () => {
  it("asks the provider, with the refresh token where there is one, and forgets", async () => {
    endpoint = `${upstream.url}/userinfo`;
    const id = await unlinked({ accessToken: "access-1", refreshToken: "refresh-1" });
    await revoke(id);
    const [asked] = upstream.requestsTo("/userinfo").slice(-1);
    expect(Object.fromEntries(asked?.body ?? [])).toMatchObject({
      token: "refresh-1",
      token_type_hint: "refresh_token",
    });
    expect(asked?.headers.get("authorization")).toStartWith("Basic ");
    expect(await kept(id)).toBe(0);
    // Delivered twice, it asks once.
    const before = upstream.requests.length;
    await revoke(id);
    expect(upstream.requests).toHaveLength(before);
  });

  it("tries again where the provider fails, and gives up with the last time", async () => {
    endpoint = `${upstream.url}/nowhere`;
    const id = await unlinked({ accessToken: "access-2" });
    await expect(revoke(id)).rejects.toBeDefined();
    expect(await kept(id)).toBe(1);
    await revoke(id, true);
    expect(await kept(id)).toBe(0);
  });

  it("forgets at once where the provider revokes nothing", async () => {
    endpoint = undefined;
    const id = await unlinked({ accessToken: "access-3" });
    await revoke(id);
    expect(await kept(id)).toBe(0);
  });

  it("is the worker's to do", async () => {
    endpoint = `${upstream.url}/userinfo`;
    const id = await unlinked({ accessToken: "access-4" });
    await server.startWorker();
    await until("the worker", async () => (await kept(id)) === 0);
    const [asked] = upstream.requestsTo("/userinfo").slice(-1);
    expect(asked?.body.get("token")).toBe("access-4");
  });
});
