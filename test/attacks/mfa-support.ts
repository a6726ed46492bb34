/** What the attacks on second factors share: victims who have one, and more than one process to attack. */
import { and, eq } from "drizzle-orm";
import { auditEvents } from "../../src/db/schema/index.ts";
import { createDeps } from "../../src/deps.ts";
import { createLogger } from "../../src/lib/log.ts";
import { serve } from "../../src/server.ts";
import { freePort } from "../support/free-port.ts";
import { type App as TotpApp, newAuthenticator, setUpPasskey, setUpTotp } from "../support/mfa.ts";
import type { SoftAuthenticator } from "../support/authenticator.ts";
import { postJson, type TestServer } from "../support/server.ts";
import { login, PASSWORD, type Person, register, type Tokens } from "./support.ts";

export interface Victim {
  readonly person: Person;
  readonly tokens: Tokens;
}

export async function newVictim(server: TestServer): Promise<Victim> {
  const person = await register(server.url);
  return { person, tokens: await login(server.url, person.username) };
}

export async function victimWithTotp(server: TestServer): Promise<Victim & { app: TotpApp }> {
  const victim = await newVictim(server);
  return { ...victim, app: await setUpTotp(server, victim.tokens.access_token) };
}

export async function victimWithPasskey(
  server: TestServer,
  options: Parameters<typeof newAuthenticator>[1] = {},
): Promise<Victim & { authenticator: SoftAuthenticator; passkeyId: string }> {
  const victim = await newVictim(server);
  const authenticator = newAuthenticator(server, options);
  const { credentialId } = await setUpPasskey(server, victim.tokens.access_token, authenticator);
  return { ...victim, authenticator, passkeyId: credentialId };
}

/** The token that a password is answered with. */
export async function pendingLogin(base: string, { username }: Person): Promise<string> {
  const response = await postJson(`${base}/login`, { identifier: username, password: PASSWORD });
  const { mfa_token: token } = (await response.json()) as { mfa_token?: string };
  if (!token) throw new Error("no second factor was asked for");
  return token;
}

/** Another API process on the same database: what was in the first one's memory, it does not know. */
export async function startSecondProcess(
  server: TestServer,
): Promise<{ url: string; stop(): Promise<void> }> {
  const port = freePort();
  const log = createLogger({ level: "silent", name: "test" });
  const deps = await createDeps({ ...server.config, port }, { process: "api", clock: server.clock, log });
  const second = await serve(deps);
  return {
    url: `http://localhost:${port}`,
    async stop() {
      await second.stop();
      await deps.close();
    },
  };
}

/** How many events of this type the audit trail holds. */
export async function countEvents(server: TestServer, type: string): Promise<number> {
  const { db } = server.deps;
  const rows = await db
    .select({ id: auditEvents.id })
    .from(auditEvents)
    .where(and(eq(auditEvents.tenantId, server.tenant.id), eq(auditEvents.type, type)));
  return rows.length;
}

/** How many of some answers had this status. */
export const count = (answers: readonly Response[], status: number) =>
  answers.filter((answer) => answer.status === status).length;
