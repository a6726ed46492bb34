/**
 * Whole sign-ins with a second factor, among 100 users and among 100,000 who all have factors:
 * `TEST_DATABASE_URL=… bun bench/sign-in.ts [users]`. Both servers are measured in turn, so that noise meets both alike.
 */
import { sql } from "drizzle-orm";
import { uuidFromId } from "../src/lib/ids.ts";
import { bearer, setUpTotp, totpCode } from "../test/support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../test/support/server.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
const MANY = Number(process.argv[2] ?? 100_000);
const FEW = 100;
const ROUNDS = 200;
const PASSWORD = "C0rrect-Horse!";

/** Users who all have a password, an authenticator app and a passkey. */
async function populate({ deps, tenant }: TestServer, count: number): Promise<void> {
  const tenantId = sql`${uuidFromId("tenant", tenant.id)}::uuid`;
  const hash = await deps.passwords.hash(PASSWORD);
  await deps.db.transaction(async (tx) => {
    await tx.execute(sql`set local session_replication_role = replica`);
    await tx.execute(sql`set local statement_timeout = 0`);
    await tx.execute(sql`
      with made as (
        insert into users (tenant_id, id, username, username_key, created_at, updated_at)
        select ${tenantId}, gen_random_uuid(), 'user' || n, 'user' || n, now(), now()
        from generate_series(1, ${count}) n returning tenant_id, id, username),
      mails as (
        insert into user_emails (tenant_id, id, user_id, address, address_key, is_primary, verified_at, created_at)
        select tenant_id, gen_random_uuid(), id, username || '@example.com', username || '@example.com', true, now(), now()
        from made),
      credentials as (
        insert into password_credentials (tenant_id, user_id, hash, changed_at)
        select tenant_id, id, ${hash}, now() from made),
      keys as (
        insert into passkeys (tenant_id, id, user_id, name, credential_id, public_key, sign_count, transports, aaguid,
          attestation_format, backup_eligible, backed_up, created_at)
        select tenant_id, gen_random_uuid(), id, 'Key', uuid_send(id), uuid_send(id), 0, '{}',
          '00000000-0000-0000-0000-000000000000', 'none', false, false, now() from made)
      insert into totp_devices (tenant_id, id, user_id, name, sealed_secret, master_key_id, begun_by, created_at, confirmed_at)
      select tenant_id, gen_random_uuid(), id, 'App', uuid_send(id), '1', '', now(), now() from made`);
  });
  await deps.db.execute(sql`analyze`);
}

interface Person {
  readonly server: TestServer;
  readonly secret: string;
  readonly taken: number[];
}

async function prepare(users: number): Promise<Person> {
  const server = await startTestServer();
  await populate(server, users);
  const registration = { username: "ada", email: "ada@example.com", password: PASSWORD };
  await postJson(`${server.url}/register`, registration);
  const login = await postJson(`${server.url}/login`, { identifier: "ada", password: PASSWORD });
  const { access_token: token }: { access_token: string } = await login.json();
  const { secret } = await setUpTotp(server, token);
  return { server, secret, taken: [] };
}

async function signIn({ server, secret }: Person): Promise<void> {
  const login = await postJson(`${server.url}/login`, { identifier: "ada", password: PASSWORD });
  const { mfa_token }: { mfa_token: string } = await login.json();
  const verified = await postJson(`${server.url}/mfa/totp/verify`, {
    mfa_token,
    code: totpCode(server, secret),
  });
  const { access_token }: { access_token?: string } = await verified.json();
  if (!access_token) throw new Error(`the sign-in failed: ${verified.status}`);
  await fetch(`${server.url}/me`, { headers: bearer(access_token) });
}

const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

const people = [await prepare(FEW), await prepare(MANY)];
for (let round = 0; round < ROUNDS + 20; round++) {
  for (const person of round % 2 ? people : people.toReversed()) {
    person.server.clock.advance(30);
    const begun = performance.now();
    await signIn(person);
    if (round >= 20) person.taken.push(performance.now() - begun);
  }
}
const [few, many] = people.map(({ taken }) => median(taken));
say(
  `median of ${ROUNDS} sign-ins with a code: ${few?.toFixed(1)} ms among ${FEW} users, ${many?.toFixed(1)} ms among ${MANY}`,
);
say(`ratio ${((many ?? 0) / (few ?? 1)).toFixed(3)}`);
for (const { server } of people) await server.stop();
