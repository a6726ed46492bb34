/** Who has an account here? Neither the answer nor its time tells (CWE-204, CWE-208; OWASP Authentication). */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { passwordCredentials } from "../../src/db/schema/index.ts";
import { isId } from "../../src/lib/ids.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { Browser, PASSWORD, type Person, readForm, register, setEnabled } from "./support.ts";

let server: TestServer;
let known: Person;
let disabled: Person;
let withoutPassword: Person;

beforeAll(async () => {
  server = await startTestServer();
  known = await register(server.url);
  disabled = await register(server.url);
  withoutPassword = await register(server.url);
  await setEnabled(server, disabled, false);
  if (!isId("user", withoutPassword.id)) throw new Error("not a user's id");
  await server.deps.db.delete(passwordCredentials).where(eq(passwordCredentials.userId, withoutPassword.id));
});
afterAll(() => server.stop());

const unknownEmail = () => `nobody${crypto.randomUUID()}@example.com`;

/** All of an answer but what is different in every answer: ids and moments. */
async function shapeOf(response: Response): Promise<unknown> {
  const headers = Object.fromEntries(response.headers);
  delete headers["x-request-id"];
  delete headers["date"];
  const body = (await response.text())
    .replace(/\b(req|user|tenant)_[0-9A-HJKMNP-TV-Z]{26}\b/g, "$1_id")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "moment")
    .replaceAll(/(name="csrf" value=")[^"]*/g, "$1");
  return { status: response.status, headers: { ...headers, "content-length": undefined }, body };
}

describe("the answers of the API", () => {
  /** Guard: domain/accounts/sign-in.ts, authenticateByPassword (one error for all). */
  it("POST /login: a wrong password, an unknown person, a disabled one and one without a password are alike", async () => {
    const attempt = async (identifier: string, password: string) =>
      shapeOf(await postJson(`${server.url}/login`, { identifier, password }));
    const wrong = await attempt(known.email, "Wr0ng-password!");
    expect(wrong).toMatchObject({ status: 401 });
    for (const identifier of [unknownEmail(), "nobody-by-name", disabled.email, withoutPassword.username]) {
      expect(await attempt(identifier, "Wr0ng-password!")).toEqual(wrong);
    }
    expect(await attempt(disabled.email, PASSWORD)).toEqual(wrong);
  });

  /** Guard: domain/accounts/registration.ts, register (tellOwner). */
  it("POST /register: a taken address is answered as a new one", async () => {
    const attempt = async (email: string, username: string) => {
      const body = { username, email, password: PASSWORD, given_name: "Eve" };
      const response = await postJson(`${server.url}/register`, body);
      const shape = JSON.stringify(await shapeOf(response));
      return shape.replaceAll(email, "EMAIL").replaceAll(username, "USERNAME");
    };
    const fresh = await attempt(unknownEmail(), "enumerator-1");
    expect(fresh).toContain('"status":201');
    expect(await attempt(known.email, "enumerator-2")).toBe(fresh);
    expect(await attempt(known.email.toUpperCase(), "enumerator-3")).toBe(fresh);
    expect(await attempt(disabled.email, "enumerator-4")).toBe(fresh);
  });

  /** Guard: password-reset.ts, requestPasswordReset; email-verification.ts, requestEmailVerification. */
  it.each(["/forgot-password", "/verify-email/send"])(
    "POST %s: known and unknown are alike",
    async (path) => {
      const attempt = async (email: string) => shapeOf(await postJson(server.url + path, { email }));
      const unknown = await attempt(unknownEmail());
      expect(unknown).toMatchObject({ status: 200 });
      for (const { email } of [known, disabled, withoutPassword])
        expect(await attempt(email)).toEqual(unknown);
    },
  );
});

describe("the answers of the pages", () => {
  /** Guard: the same services, behind web/*.routes.ts. */
  it.each<[path: string, fields: Record<string, string>, name: string, action: string]>([
    ["/signin", { password: "Wr0ng-password!" }, "identifier", "/signin"],
    ["/recover", {}, "email", "/recover"],
    ["/signup", { password: PASSWORD, username: "page-enumerator" }, "email", "/signup"],
  ])("%s: known and unknown are alike", async (path, fields, name, action) => {
    const attempt = async (value: string, round: number) => {
      const browser = new Browser(server.url);
      const form = readForm(await (await browser.get(path)).text(), action);
      const username: Record<string, string> = fields["username"]
        ? { username: `${fields["username"]}-${round}` }
        : {};
      const response = await browser.post(form.action, {
        ...form.fields,
        ...fields,
        ...username,
        [name]: value,
      });
      return JSON.stringify(await shapeOf(response)).replaceAll(value, "VALUE");
    };
    expect(await attempt(known.email, 1)).toBe(await attempt(unknownEmail(), 2));
  });
});

describe("the time of the answer", () => {
  /**
   * CWE-208: 25 interleaved tries of each, compared by their medians. A hash takes tens of milliseconds and the rest
   * few, so without the dummy verification the ratio is below a fifth.
   * Guard: domain/passwords/hasher.ts, verify (stand-in), called by authenticateByPassword for everybody.
   */
  it("of POST /login is that of a hash, whoever is asked for", async () => {
    const people = [known.email, unknownEmail(), disabled.email, withoutPassword.email];
    const times = people.map(() => [] as number[]);
    for (let round = 0; round < 25; round++) {
      for (const [index, identifier] of people.entries()) {
        const started = performance.now();
        await postJson(`${server.url}/login`, { identifier, password: "Wr0ng-password!" });
        times[index]?.push(performance.now() - started);
      }
    }
    const [reference = 0, ...others] = times.map(median);
    for (const other of others) {
      expect(other / reference).toBeGreaterThan(0.5);
      expect(other / reference).toBeLessThan(2);
    }
  });

  /** The same for registration: an address that is taken costs a hash too. Guard: registration.ts, register. */
  it("of POST /register is that of a hash, known address or not", async () => {
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < 12; round++) {
      for (const kind of ["known", "unknown"] as const) {
        const email = kind === "known" ? known.email : unknownEmail();
        const started = performance.now();
        await postJson(`${server.url}/register`, {
          username: `t-${kind}-${round}`,
          email,
          password: PASSWORD,
        });
        times[kind].push(performance.now() - started);
      }
    }
    const ratio = median(times.known) / median(times.unknown);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
