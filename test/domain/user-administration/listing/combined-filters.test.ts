/** Several filters at once hold whom each of them holds, however few or many these are. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { listOrganizations } from "../../../../src/domain/organizations/service.ts";
import { seed } from "../../../../src/domain/seed/service.ts";
import { foundAtMost } from "../../../../src/domain/user-administration/listing/model.ts";
import { listUsers, type UserFilter } from "../../../../src/domain/user-administration/service.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";

/** So many that those of more than one filter are more than are looked up one by one. */
const USERS = 9000;

interface Choice {
  readonly filter: UserFilter;
  readonly search?: string;
}

let server: TestServer;
/** By name; two of one name's first word exclude each other. */
const choices = new Map<string, Choice>();

beforeAll(async () => {
  server = await startTestServer();
  await seed(
    server.deps,
    { users: USERS, tenants: 1, auditEvents: 0, password: "Correct-horse-battery-9", add: false },
    () => {},
  );
  const [company] = await listOrganizations(server.deps, server.tenant.id);
  if (!company) throw new Error("no company");
  const ago = (days: number) => new Date(server.clock.now().getTime() - days * 86_400_000);
  choices.set("status enabled", { filter: { enabled: true } });
  choices.set("status disabled", { filter: { enabled: false } });
  choices.set("role of many", { filter: { role: "employee" } });
  choices.set("role of few", { filter: { role: "auditor" } });
  choices.set("company", { filter: { organizationId: company.id } });
  choices.set("made lately", { filter: { createdAfter: ago(300) } });
  choices.set("made between", { filter: { createdAfter: ago(500), createdBefore: ago(200) } });
  choices.set("search all", { filter: {}, search: "example" });
  choices.set("search some", { filter: {}, search: "petrov" });
  choices.set("search short", { filter: {}, search: "an" });
});
afterAll(() => server.stop());

interface Found {
  readonly ids: readonly string[];
  readonly total: number;
}

async function all({ filter, search }: Choice, sort: "created_at" | "username"): Promise<Found> {
  const ids: string[] = [];
  let after: { value: string; id: string } | undefined;
  for (;;) {
    const page = { limit: 100, sort, order: "desc", search, after } as const;
    const { items, hasMore, total } = await listUsers(server.deps, server.tenant.id, filter, page);
    ids.push(...items.map(({ id }) => id));
    const last = items.at(-1);
    if (!hasMore || !last) return { ids, total };
    after = {
      value: sort === "username" ? last.username.toLowerCase() : last.createdAt.toISOString(),
      id: last.id,
    };
  }
}

describe("two filters at once", () => {
  it("hold those of both, each once, in order, and say how many there are, up to so many", async () => {
    const alone = new Map<string, readonly string[]>();
    for (const [name, choice] of choices) {
      const { ids } = await all(choice, "created_at");
      expect([name, new Set(ids).size]).toEqual([name, ids.length]);
      alone.set(name, ids);
    }
    const many: string[] = [];
    for (const [first, one] of choices)
      for (const [second, other] of choices) {
        if (first >= second || first.split(" ")[0] === second.split(" ")[0]) continue;
        const both = { filter: { ...one.filter, ...other.filter }, search: one.search ?? other.search };
        const { ids, total } = await all(both, "created_at");
        const others = new Set(alone.get(second));
        const expected = (alone.get(first) ?? []).filter((id) => others.has(id));
        expect([first, second, ids]).toEqual([first, second, expected]);
        const counted = foundAtMost(both.search);
        expect([first, second, total]).toEqual([first, second, Math.min(expected.length, counted)]);
        if (expected.length >= counted) many.push(both.search === undefined ? "sets" : "search");
      }
    expect(new Set(many)).toEqual(new Set(["sets", "search"]));
  }, 120_000);

  it("hold the same people in another order", async () => {
    for (const filter of [
      { enabled: true, role: "employee" },
      { enabled: false, role: "employee" },
    ]) {
      const byTime = await all({ filter }, "created_at");
      const byName = await all({ filter }, "username");
      expect(byTime.ids.length).toBeGreaterThan(10);
      expect(byName.ids.toSorted()).toEqual(byTime.ids.toSorted());
      expect(byName.total).toBe(byTime.total);
    }
  });
});
