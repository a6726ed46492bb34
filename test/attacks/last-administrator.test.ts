/** Administrators who remove each other at the same moment (CWE-362): each sees the other, and nobody is left. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { keepingAdministrators } from "../../src/domain/administrators/service.ts";
import { replaceUserRoles } from "../../src/domain/roles/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { AppError } from "../../src/lib/errors.ts";
import { isId } from "../../src/lib/ids.ts";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant, type OtherTenant, type Person } from "./support.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const administrators = async (of: OtherTenant) =>
  (
    await server.deps.db.$client`
      select u.id from users u join user_roles ur on ur.tenant_id = u.tenant_id and ur.user_id = u.id
      join tenants t on t.id = u.tenant_id where t.slug = ${of.tenant.slug} and u.enabled`
  ).length;

describe("the last administrators", () => {
  it("do not all go when twenty remove themselves at once, by every way there is", async () => {
    const of = await createOtherTenant(server, "twenty");
    const people = [];
    for (let index = 0; index < 20; index++) people.push(await newAdministrator(server, of));
    const answers = await Promise.all(
      people.map(({ person, token }, index) => {
        const call = caller(of.base, token);
        if (index % 3 === 0) return call("DELETE", `/users/${person.id}`);
        return call("PUT", `/users/${person.id}`, index % 3 === 1 ? { enabled: false } : { roles: [] });
      }),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 409).length).toBe(1);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
    expect(await administrators(of)).toBe(1);
  });

  /**
   * Guard: keepingAdministrators in requestAccountDeletion (domain/accounts), and that findRolesHeld does not count on
   * who is about to go.
   */
  it("neither delete their own account, nor are left by one who does", async () => {
    const of = await createOtherTenant(server, "leaving");
    const [first, second] = [await newAdministrator(server, of), await newAdministrator(server, of)];
    const leave = (token: string) =>
      fetch(`${of.base}/me`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    const answers = await Promise.all([leave(first.token), leave(second.token)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    const stays = answers[0]?.status === 409 ? first : second;
    const goes = stays === first ? second : first;
    // Who is on the way out is no administrator to rely on: the other one stays one.
    const demoted = await caller(of.base, stays.token)("PUT", `/users/${stays.person.id}`, { roles: [] });
    expect(demoted.status).toBe(409);
    expect((await leave(stays.token)).status).toBe(409);
    expect(goes.person.id).not.toBe(stays.person.id);
  });

  /**
   * The same with the moment chosen: the second one begins when the first one is done and not yet committed. Guard:
   * lockAdministration in keepingAdministrators (domain/administrators).
   */
  it("wait for each other", async () => {
    const of = await createOtherTenant(server, "two");
    const [first, second] = [await newAdministrator(server, of), await newAdministrator(server, of)];
    const { promise: done, resolve: isDone } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const demote = ({ id }: Person, pause: () => Promise<void>) =>
      server.deps.db.transaction(async (tx) => {
        if (!isId("user", id)) throw new Error("not a user's id");
        const { id: tenantId } = of.tenant;
        const by = { actor: { type: "system" }, context: systemContext, now: server.clock.now() } as const;
        await keepingAdministrators(tx, tenantId, () =>
          replaceUserRoles(tx, { tenantId, userId: id, roles: [], ...by }),
        );
        await pause();
      });
    const one = demote(first.person, async () => {
      isDone();
      await released;
    });
    await done;
    const other = demote(second.person, async () => {}).then(
      () => "done",
      (error: unknown) => (error instanceof AppError ? error.status : error),
    );
    // Until it waits for the lock, or, without one, has come through.
    const settled = Symbol("settled");
    const deadline = performance.now() + 10_000;
    for (;;) {
      const [row] = await server.deps.db.$client`select count(*) as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      const state = await Promise.race([other, Promise.resolve(settled)]);
      if (Number(row?.["waiting"]) > 0 || state !== settled || performance.now() > deadline) break;
    }
    release();
    await one;
    expect(await other).toBe(409);
    expect(await administrators(of)).toBe(1);
  });
});
