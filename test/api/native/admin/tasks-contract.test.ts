/**
 * The endpoints of scheduled tasks, from `contract/admin/tasks.tsv`: each one called as it is meant to be, and in each way
 * that it is not.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createOtherTenant, login, type OtherTenant, register } from "../../../attacks/support.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { type Answer, caller, newAdministrator } from "./support.ts";

const PREFIX = "/api/v1/admin";
const [, ...lines] = (await Bun.file(`${import.meta.dir}/../../contract/admin/tasks.tsv`).text())
  .trim()
  .split("\n");
const rows = lines.map((line) => {
  const [method = "", path = ""] = line.split("\t");
  return { method, path };
});

let server: TestServer;
let mine: OtherTenant;
let ofMine: ReturnType<typeof caller>;
let ofTheirs: ReturnType<typeof caller>;
let ofNobody: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer();
  mine = await createOtherTenant(server, "mine");
  const theirs = await createOtherTenant(server, "theirs");
  ofMine = caller(mine.base, (await newAdministrator(server, mine)).token);
  ofTheirs = caller(theirs.base, (await newAdministrator(server, theirs)).token);
  ofNobody = caller(mine.base, (await login(mine.base, (await register(mine.base)).username)).access_token);
});
afterAll(() => server.stop());

const newTask = { kind: "dormant_accounts", name: "Monthly", cron: "0 4 1 * *", time_zone: "Europe/Berlin" };

/** Bodies that the endpoints take, and such as they do not, with the fields that are to be named. */
const bodies: Record<string, { sound: unknown; wrong: [unknown, string][] }> = {
  [`POST ${PREFIX}/tasks`]: {
    sound: newTask,
    wrong: [
      [{ ...newTask, kind: "unheard_of" }, "kind"],
      [{ ...newTask, cron: "every day" }, "cron"],
      [{ ...newTask, cron: "*/4 * * * *" }, "cron"],
      [{ ...newTask, time_zone: "Nowhere/City" }, "time_zone"],
      [{ ...newTask, parameters: { inactive_days: 0 } }, "parameters.inactive_days"],
      [{ ...newTask, parameters: { surprise: 1 } }, "parameters"],
      [{ ...newTask, name: "" }, "name"],
      [{ kind: newTask.kind, name: "x" }, "cron"],
    ],
  },
  [`PATCH ${PREFIX}/tasks/{id}`]: {
    sound: { name: "Weekly", cron: "0 4 * * 1" },
    wrong: [
      [{ cron: "0 0 31 2 *" }, "cron"],
      [{ time_zone: "+02:00" }, "time_zone"],
      [{ parameters: { inactive_days: "30" } }, "parameters.inactive_days"],
      [{ name: 1 }, "name"],
    ],
  },
};

interface Ids {
  task: string;
  run: string;
}

/** A task, and a run of it that has not begun. */
async function made(call: ReturnType<typeof caller>, withRun = true): Promise<Ids> {
  const { body: task, status } = await call<{ id: string }>("POST", "/tasks", newTask);
  if (status !== 201) throw new Error(`no task was made: ${status}`);
  if (!withRun) return { task: task.id, run: "" };
  const { body: run } = await call<{ id: string }>("POST", `/tasks/${task.id}/run`);
  return { task: task.id, run: run.id };
}

const filled = (path: string, { task, run }: Ids) =>
  path.slice(PREFIX.length).replace("{id}", task).replace("{run_id}", run);

interface Problem {
  error: string;
  error_description: string;
  request_id: string;
  details?: { field: string; message: string }[];
}
const errorOf = ({ status, body, headers }: Answer<Problem>) => {
  expect(body.error_description).toBeString();
  expect(body.request_id).toBe(headers.get("x-request-id") ?? "");
  return [status, body.error];
};

describe("the table", () => {
  it("holds every endpoint that is served for tasks, and no other", async () => {
    const { paths } = (await (await fetch(`${server.url}/docs/json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      path.startsWith(`${PREFIX}/task`)
        ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
        : [],
    );
    expect(served.toSorted()).toEqual(rows.map(({ method, path }) => `${method} ${path}`).toSorted());
  });
});

describe.each(rows)("$method $path", ({ method, path }) => {
  const endpoint = `${method} ${path}`;
  const anything = method === "GET" ? undefined : { no: "body" };

  it("answers who may call it", async () => {
    const ids = await made(ofMine, !path.endsWith("/run"));
    const { status } = await ofMine(method, filled(path, ids), bodies[endpoint]?.sound);
    const other: Record<string, number> = {
      [`POST ${PREFIX}/tasks`]: 201,
      [`POST ${PREFIX}/tasks/{id}/run`]: 202,
      [`DELETE ${PREFIX}/tasks/{id}`]: 204,
    };
    expect(status).toBe(other[endpoint] ?? 200);
  });

  it("answers 401 without a token, before it looks at anything", async () => {
    const answer = await caller(mine.base, undefined)<Problem>(
      method,
      filled(path, await made(ofMine)),
      anything,
    );
    expect(errorOf(answer)).toEqual([401, "unauthorized"]);
    expect(answer.headers.get("www-authenticate")).toStartWith("Bearer");
  });

  it("answers 403 to who administers nothing, before it looks at the body", async () => {
    const answer = await ofNobody<Problem>(method, filled(path, await made(ofMine)), anything);
    expect(errorOf(answer)).toEqual([403, "forbidden"]);
  });
});

describe.each(rows.filter(({ path }) => path.includes("{")))("$method $path", ({ method, path }) => {
  it("answers 404 for another tenant's, as for nobody's", async () => {
    const [own, other] = [await made(ofMine), await made(ofTheirs)];
    const nobodys = (id: string) => `${id.slice(0, -20)}${"0".repeat(20)}`;
    const tried: Ids[] = [
      other,
      { task: nobodys(own.task), run: own.run },
      { task: "x", run: "x" },
      // What is one's own does not help with what is not.
      ...(path.includes("{run_id}")
        ? [
            { ...own, run: other.run },
            { ...own, run: nobodys(own.run) },
          ]
        : []),
      ...(path.includes("{run_id}") ? [{ ...own, run: (await made(ofMine)).run }] : []),
    ];
    for (const ids of tried) {
      const answer = await ofMine<Problem>(method, filled(path, ids), bodies[`${method} ${path}`]?.sound);
      expect(errorOf(answer)).toEqual([404, "not_found"]);
    }
  });
});

describe.each(rows.filter(({ method, path }) => bodies[`${method} ${path}`]))(
  "$method $path",
  ({ method, path }) => {
    it("answers 422 and names the wrong field", async () => {
      const ids = await made(ofMine);
      for (const [body, field] of bodies[`${method} ${path}`]?.wrong ?? []) {
        const answer = await ofMine<Problem>(method, filled(path, ids), body);
        expect({ body, error: errorOf(answer) }).toEqual({ body, error: [422, "validation_error"] });
        expect(answer.body.details).toEqual([{ field, message: expect.any(String) }]);
      }
    });
  },
);
