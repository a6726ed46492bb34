/**
 * Who administers one tenant is no administrator of the installation, nor of another tenant (CWE-639, CWE-269): the tasks
 * of the whole installation are not theirs to see, run, pause, change or add. The guard is the condition on scope and
 * tenant in `domain/tasks/repo.ts` (`visibleTo`), and for adding `listKinds`.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { scheduledTasks, taskRuns } from "../../src/db/schema/index.ts";
import { administratorsToken, caller, newAdministrator } from "../api/native/admin/support.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant } from "./support.ts";

let server: TestServer;
let superAdmin: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer();
  superAdmin = caller(server.url, await administratorsToken(server));
  await superAdmin("GET", "/tasks");
});
afterAll(() => server.stop());

const installationTasks = () =>
  server.deps.db.select().from(scheduledTasks).where(eq(scheduledTasks.scope, "installation"));

/** Every way to touch a task. */
const touches: [string, string, unknown?][] = [
  ["GET", ""],
  ["PATCH", "", { name: "Mine now" }],
  ["DELETE", ""],
  ["GET", "/runs"],
  ["POST", "/run"],
  ["POST", "/pause"],
  ["POST", "/resume"],
];

describe.each(["another tenant", "the default tenant, which the rows are of"])(
  "an administrator of %s",
  (whose) => {
    let call: ReturnType<typeof caller>;
    beforeAll(async () => {
      const home =
        whose === "another tenant"
          ? await createOtherTenant(server, "mine")
          : { tenant: server.tenant, base: server.url };
      call = caller(home.base, (await newAdministrator(server, home)).token);
    });

    it("does not see the installation's tasks, nor their kinds", async () => {
      const { body } = await call<{ data: { scope: string }[] }>("GET", "/tasks");
      expect(body.data.map(({ scope }) => scope)).toEqual(["tenant"]);
      const { body: kinds } = await call<{ data: { scope: string }[] }>("GET", "/task-kinds");
      expect(kinds.data.map(({ scope }) => scope)).toEqual(["tenant"]);
    });

    it("is told of each that there is none, and changes nothing", async () => {
      const before = await installationTasks();
      expect(before.length).toBeGreaterThan(10);
      for (const { id } of before) {
        for (const [method, path, body] of touches) {
          const { status } = await call(method, `/tasks/${id}${path}`, body);
          expect({ method, path, status }).toEqual({ method, path, status: 404 });
        }
      }
      expect(await installationTasks()).toEqual(before);
      expect(await server.deps.db.$count(taskRuns)).toBe(0);
    });

    it("adds no task of the installation's kinds", async () => {
      for (const kind of ["token_clean_up", "key_rotation", "audit_retention"]) {
        const body = { kind, name: "Mine", cron: "0 0 * * *" };
        expect((await call("POST", "/tasks", body)).status).toBe(422);
      }
      const own = and(eq(scheduledTasks.scope, "installation"), eq(scheduledTasks.builtIn, false));
      expect(await server.deps.db.$count(scheduledTasks, own)).toBe(0);
    });
  },
);

describe("a super_admin", () => {
  it("who looks at one tenant sees its tasks and the installation's, and no other tenant's", async () => {
    const [one, two] = [await createOtherTenant(server, "one"), await createOtherTenant(server, "two")];
    const [ofOne, ofTwo] = await Promise.all(
      [one, two].map(async (tenant) => {
        const { token } = await newAdministrator(server, tenant);
        const { body } = await caller(tenant.base, token)<{ data: { id: string }[] }>("GET", "/tasks");
        return body.data[0]?.id;
      }),
    );
    const token = await administratorsToken(server);
    const response = await fetch(`${server.url}/api/v1/admin/tasks`, {
      headers: { authorization: `Bearer ${token}`, "x-org-context": one.tenant.id },
    });
    const { data } = (await response.json()) as { data: { id: string; scope: string }[] };
    expect(data.filter(({ scope }) => scope === "tenant").map(({ id }) => id)).toEqual([ofOne ?? ""]);
    expect(data.map(({ id }) => id)).not.toContain(ofTwo ?? "");
    expect(data.some(({ scope }) => scope === "installation")).toBe(true);
  });
});
