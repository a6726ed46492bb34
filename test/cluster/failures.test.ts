/**
 * Two API processes and two workers on one PostgreSQL and, where there is one, one Redis: what must be true across
 * processes is true under load, and a store that is killed in the middle costs nothing but time.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import * as jose from "jose";
import { createDeps, type Deps } from "../../src/deps.ts";
import { createClient } from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findDefaultTenant } from "../../src/domain/tenants/service.ts";
import { mailboxMessages } from "../../src/db/schema/index.ts";
import { createLogger } from "../../src/lib/log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { runCommandLine } from "../support/command-line.ts";
import { eventually, queueBackends, testConfig } from "../support/queue.ts";
import { postForm, postJson } from "../support/server.ts";
import { allReady, type Machines, startMachines } from "./machines.ts";

const AT_ONCE = 2;
const RECOVERY_MS = 60_000;

describe.each(queueBackends)("two API processes and two workers, with the queue on %s", (kind) => {
  let machines: Machines;
  let deps: Deps & { close(): Promise<void> };
  let authorization: string;

  beforeAll(async () => {
    machines = await startMachines(kind === "Redis");
    deps = await createDeps(testConfig(machines.env), {
      process: "api",
      clock: systemClock,
      log: createLogger({ level: "silent", name: "test" }),
    });
    const tenant = await findDefaultTenant(deps);
    if (!tenant) throw new Error("no tenant was made");
    const { client, clientSecret } = await createClient(
      deps,
      tenant.id,
      { name: "Load", redirectUris: [], grantTypes: ["client_credentials"], public: false, firstParty: true },
      { actor: { type: "system" }, context: systemContext },
    );
    authorization = `Basic ${btoa(`${client.clientId}:${clientSecret}`)}`;
  }, 120_000);
  afterAll(async () => {
    // Undefined when what was to be stopped did not start.
    await deps?.close();
    await machines?.stop();
  }, 60_000);

  const requestToken = (url: string) =>
    postForm(`${url}/oauth/token`, { grant_type: "client_credentials" }, { authorization });

  /** Does `act` again and again on every machine while `meanwhile` happens. @returns what came of it */
  async function underLoad<T>(
    act: (url: string) => Promise<T>,
    meanwhile: () => Promise<void>,
  ): Promise<T[]> {
    const results: T[] = [];
    let over = false;
    const loops = Array.from({ length: AT_ONCE }, async (_, loop) => {
      const url = machines.urls[loop % machines.urls.length] ?? "";
      while (!over) results.push(await act(url));
    });
    try {
      await meanwhile();
    } finally {
      over = true;
      await Promise.all(loops);
    }
    return results;
  }

  it("rotate the signing key without one token that another process does not verify", async () => {
    const keySets = machines.urls.map((url) =>
      jose.createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), { cooldownDuration: 0 }),
    );
    const outcomes = await underLoad(
      async (url) => {
        const answer = await requestToken(url);
        const { access_token: token } = await answer.json();
        const elsewhere = keySets[machines.urls.indexOf(url) === 0 ? 1 : 0];
        if (!elsewhere) throw new Error("there is one machine only");
        const { protectedHeader } = await jose.jwtVerify(token, elsewhere);
        return protectedHeader.kid;
      },
      async () => {
        const { code, stderr } = await runCommandLine(
          ["keys", "rotate", "--alg", "ES256", "--now"],
          machines.env,
        );
        expect({ code, stderr }).toMatchObject({ code: 0 });
        await eventually(
          "the new key",
          async () => {
            const answers = await Promise.all(machines.urls.map(requestToken));
            const tokens = await Promise.all(
              answers.map(async (answer) => (await answer.json()).access_token),
            );
            const [first, ...others] = tokens.map((token) => jose.decodeProtectedHeader(token).kid);
            return first !== undefined && others.every((kid) => kid === first);
          },
          RECOVERY_MS,
        );
      },
    );
    expect(outcomes.length).toBeGreaterThan(0);
  }, 60_000);

  const register = async (url: string) => {
    const name = `u${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
    const email = `${name}@example.com`;
    const body = { username: name, email, password: "Correct-Horse-7-Staple", given_name: "Ada" };
    try {
      return { email, status: (await postJson(`${url}/register`, body)).status };
    } catch {
      // The connection was cut: it may have succeeded, or not.
      return { email, status: 0 };
    }
  };

  const mailed = async () => {
    const messages = await deps.db.select({ to: mailboxMessages.to }).from(mailboxMessages);
    return messages.map(({ to }) => to);
  };

  async function expectNothingLost(registrations: { email: string; status: number }[]): Promise<void> {
    expect(new Set(registrations.map(({ status }) => status)).difference(new Set([201, 503]))).toEqual(
      new Set(),
    );
    const made = registrations.filter(({ status }) => status === 201).map(({ email }) => email);
    expect(made.length).toBeGreaterThan(0);
    await eventually(
      "a mail for everybody who registered",
      async () => {
        const known = new Set(await mailed().catch(() => []));
        return made.every((email) => known.has(email));
      },
      RECOVERY_MS,
    );
    const sent = (await mailed()).filter((address) => made.includes(address));
    expect(sent).toHaveLength(made.length);
    expect(machines.allAlive()).toBe(true);
  }

  /** Workers start more slowly than API processes, above all beside a load. */
  async function untilWorkersWork(): Promise<void> {
    const { email } = await register(machines.urls[0] ?? "");
    await eventually("the first mail", async () => (await mailed()).includes(email), RECOVERY_MS);
  }

  it("go on by themselves when PostgreSQL is killed under load, with nothing lost", async () => {
    await untilWorkersWork();
    const registrations = await underLoad(register, async () => {
      const before = (await mailed()).length;
      await eventually("some mail", async () => (await mailed()).length > before, RECOVERY_MS);
      await machines.killPostgres();
      await eventually("every process", () => allReady(machines.urls), RECOVERY_MS);
      const again = async () => (await register(machines.urls[1] ?? "")).status === 201;
      await eventually("a registration", again, RECOVERY_MS);
    });
    await expectNothingLost(registrations);
  }, 300_000);

  if (kind === "Redis") {
    it("go on by themselves when Redis is killed under load, with nothing lost", async () => {
      await untilWorkersWork();
      const registrations = await underLoad(register, async () => {
        const before = (await mailed()).length;
        await eventually("some mail", async () => (await mailed()).length > before, RECOVERY_MS);
        await machines.killRedis();
        // Who asks for nothing that Redis is needed for does not notice.
        for (const url of machines.urls) expect((await requestToken(url)).status).toBe(200);
        expect((await register(machines.urls[0] ?? "")).status).toBe(201);
        await machines.startRedis();
        await eventually("every process", () => allReady(machines.urls), RECOVERY_MS);
      });
      await expectNothingLost(registrations);
    }, 300_000);
  }
});
