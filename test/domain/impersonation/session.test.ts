/** What a session is not good for that an administrator has as somebody else, whoever asks. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { mayImpersonate } from "../../../src/domain/impersonation/standing.ts";
import { requireFreshAuthentication } from "../../../src/domain/sessions/fresh.ts";
import {
  findSessionProof,
  newSession,
  raiseSession,
  startSession,
} from "../../../src/domain/sessions/service.ts";
import { recordSignIn } from "../../../src/domain/accounts/sign-ins/service.ts";
import { outbox } from "../../../src/db/schema/index.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { type Id, newId } from "../../../src/lib/ids.ts";
import { addUser } from "../../conformance/support.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let user: User;
beforeAll(async () => {
  server = await startTestServer();
  user = await addUser(server, "jane");
});
afterAll(() => server.stop());

const begin = (impersonated: boolean, userAgent?: string) => ({
  tenantId: server.tenant.id,
  userId: user.id,
  amr: ["pwd"],
  lifetimeSeconds: 600,
  withCookie: true,
  ...(impersonated ? { impersonationId: newId("impersonation") } : {}),
  context: { requestId: "test", ip: undefined, userAgent },
  now: server.clock.now(),
});

const signIn = (start: ReturnType<typeof begin>, renewing?: Id<"session">) =>
  recordSignIn(
    server.deps.db,
    { user, methods: ["password"], context: start.context },
    { ...newSession(start, renewing), renewed: renewing !== undefined },
  );

describe("an impersonated session", () => {
  it("proves nothing, and is neither raised nor renewed, as the user's own is", async () => {
    const { deps, tenant } = server;
    for (const impersonated of [true, false]) {
      const { id } = await startSession(deps.db, begin(impersonated));
      const proof = await findSessionProof(deps, tenant.id, id);
      const raised = await raiseSession(deps.db, { tenantId: tenant.id, id }, { amr: ["pwd", "otp", "mfa"] });
      const renewed = await signIn(begin(false), id);
      expect([proof !== undefined, raised, renewed]).toEqual([!impersonated, !impersonated, !impersonated]);
    }
  });

  it("is never fresh", async () => {
    const { deps, tenant } = server;
    const { id } = await startSession(deps.db, begin(true));
    const need = { maxAgeSeconds: 900 };
    const fresh = requireFreshAuthentication(deps, tenant.id, { sessionId: id }, need);
    expect(
      await fresh.then(
        () => "fresh",
        () => "refused",
      ),
    ).toBe("refused");
  });

  it("makes no browser known: the next sign-in from the same one is news", async () => {
    const { deps } = server;
    const notices = () => deps.db.$count(outbox, eq(outbox.name, "new_sign_in"));
    await signIn(begin(false, "Jane's browser"));
    await startSession(deps.db, begin(true, "Administrator's browser"));
    const before = await notices();
    await signIn(begin(false, "Jane's browser"));
    expect(await notices()).toBe(before);
    await signIn(begin(false, "Administrator's browser"));
    expect(await notices()).toBe(before + 1);
  });
});

describe("who may sign in as whom", () => {
  it.each([
    [["admin"], [], true],
    [["admin"], ["editor"], true],
    [["super_admin"], ["admin"], true],
    [["admin", "super_admin"], ["admin"], true],
    [["admin"], ["admin"], false],
    [["admin"], ["super_admin"], false],
    [["super_admin"], ["super_admin"], false],
    [["editor"], [], false],
    [[], [], false],
  ])("%p as %p: %p", (by, as, may) => {
    expect(mayImpersonate(by, as)).toBe(may);
  });
});
