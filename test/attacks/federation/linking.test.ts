/**
 * Taking over an account by way of a connection: with an address that nobody verified, with one that the connection has no say
 * in, or by having been there first (Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { scimExternalIds, scimUsers } from "../../../src/db/schema/index.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { createOrganization } from "../../../src/domain/organizations/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { assignRoles } from "../../../src/domain/roles/service.ts";
import { findUserByEmail, findUserById, type User } from "../../../src/domain/users/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import {
  arriveIn,
  audited,
  connectOauth2,
  connectOidc,
  isSignedIn,
  linkedTo,
  refusalOf,
  upstreamsAllowed,
} from "../../support/federation.ts";
import { linkIn, waitForMail } from "../../support/mailbox.ts";
import { confirmAddress } from "../../support/mfa.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { bearer, Browser, login, PASSWORD, type Person, register } from "../support.ts";

let server: TestServer;
let upstream: Upstream;
let subject: string;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
beforeEach(() => {
  subject = crypto.randomUUID();
  upstream.person = { sub: subject };
});

const by = { actor: { type: "system" } as const, context: systemContext };
const newOrganization = () =>
  createOrganization(server.deps, server.tenant.id, { slug: `o-${crypto.randomUUID()}`, name: "O" }, by);

async function userOf(connection: Connection): Promise<User | undefined> {
  const account = await linkedTo(server, connection, subject);
  return account && findUserById(server.deps, server.tenant.id, account.userId);
}

/** Somebody with an account whose address is verified. */
async function victim(): Promise<Person> {
  const person = await register(server.url);
  await confirmAddress(server, person.email);
  return person;
}

async function expectNotTaken(connection: Connection, person: Person): Promise<void> {
  const user = await userOf(connection);
  expect<unknown>(user?.id).not.toBe(person.id);
  expect(user?.email).not.toBe(person.email);
  const owner = await findUserByEmail(server.deps, server.tenant.id, person.email);
  expect<unknown>(owner?.id).toBe(person.id);
}

describe("an upstream account with somebody else's address", () => {
  /** Guard: federation/vouching.ts, isVouchedFor. */
  it.each<[string, Record<string, unknown>]>([
    ["that is not verified there", { email_verified: false }],
    ["of which nothing is said", {}],
    ["that is verified in a word that is no truth", { email_verified: "no" }],
  ])("%s is linked to nobody", async (_what, claims) => {
    const person = await victim();
    const connection = await connectOidc(server, upstream);
    Object.assign(upstream.person, { email: person.email, ...claims });
    await arriveIn(server.url, connection);
    await expectNotTaken(connection, person);
  });

  /** Guard: federation/vouching.ts, trustEmails ("nOAuth": whoever administers a directory writes any address into it). */
  it("is linked to nobody where the connection's word on addresses is not taken", async () => {
    const person = await victim();
    const connection = await connectOidc(server, upstream, { trustEmails: "never" });
    Object.assign(upstream.person, { email: person.email, email_verified: true });
    await arriveIn(server.url, connection);
    await expectNotTaken(connection, person);
  });

  /** Guard: federation/vouching.ts, the organizationId of isVouchedFor. */
  it("is linked to nobody by an organization's connection, which could say anything of anybody", async () => {
    const person = await victim();
    const organization = await newOrganization();
    const connection = await connectOidc(server, upstream, {
      organizationId: organization.id,
      domains: ["organization.example"],
    });
    Object.assign(upstream.person, { email: person.email, email_verified: true });
    await arriveIn(server.url, connection);
    await expectNotTaken(connection, person);
  });

  /** Guard: upstream/oauth2.ts leaves out the address that somebody shows where a list says which one is verified. */
  it("is linked to nobody when it is only shown, as on a public profile", async () => {
    const person = await victim();
    const connection = await connectOauth2(server, upstream);
    upstream.person = { id: subject, email: person.email, email_verified: true };
    upstream.behaviour.emails = () => [
      { email: person.email, primary: true, verified: false },
      { email: "mine@up.example", primary: false, verified: true },
    ];
    await arriveIn(server.url, connection);
    await expectNotTaken(connection, person);
    upstream.behaviour.emails = () => [];
    upstream.person["id"] = subject = crypto.randomUUID();
    await arriveIn(server.url, connection);
    await expectNotTaken(connection, person);
  });

  /** Guard: the asking of a holder by the whole address (users/model.ts, emailKey), as everywhere. */
  it("is linked to nobody when it only looks like it", async () => {
    const person = await victim();
    const connection = await connectOidc(server, upstream);
    for (const email of [`${person.email}.evil.example`, `evil+${person.email}`, `${person.email}\u0000`]) {
      upstream.person = { sub: subject, email, email_verified: true };
      await arriveIn(server.url, connection);
      await expectNotTaken(connection, person);
    }
  });
});

describe("an administrator", () => {
  /** Guard: federation/linking.ts, linkExisting (administers). */
  it.each(["admin", "super_admin"])("(%s) is linked by no address, however verified", async (role) => {
    const person = await victim();
    const { id } = person;
    if (!isId("user", id)) throw new Error("no user");
    const now = server.clock.now();
    const tenantId = server.tenant.id;
    await assignRoles(server.deps.db, { tenantId, userId: id, roles: [role], ...by, now });
    const connection = await connectOidc(server, upstream);
    Object.assign(upstream.person, { email: person.email, email_verified: true });
    const { browser, response } = await arriveIn(server.url, connection);
    expect(response.status).toBe(409);
    expect(await refusalOf(response)).toContain("another way");
    expect(isSignedIn(browser)).toBe(false);
    expect(await userOf(connection)).toBeUndefined();
  });

  /** Guard: the same, for the way by the directory's name. */
  it("is linked by no directory's name for them", async () => {
    const person = await victim();
    const { id: userId } = person;
    if (!isId("user", userId)) throw new Error("no user");
    const tenantId = server.tenant.id;
    const organization = await newOrganization();
    await assignRoles(server.deps.db, { tenantId, userId, roles: ["admin"], ...by, now: server.clock.now() });
    await server.deps.db.insert(scimExternalIds).values({
      tenantId,
      scope: organization.id,
      resourceType: "User",
      externalId: subject,
      userId,
    });
    const connection = await connectOidc(server, upstream, { organizationId: organization.id });
    const { response } = await arriveIn(server.url, connection);
    expect(response.status).toBe(409);
    expect(await userOf(connection)).toBeUndefined();
  });

  /** Guard: federation/provisioning.ts, giveDefaultRole (administers), where the rules for connections should ever let one by. */
  it("is nobody by signing up", async () => {
    const connection = await connectOidc(server, upstream);
    const { resolveExternal } = await import("../../../src/domain/federation/sign-in.ts");
    const identity = { subject, emailVerified: false, claims: {} };
    const user = await resolveExternal(
      server.deps,
      server.tenant,
      { ...connection, defaultRole: "super_admin" },
      identity,
      systemContext,
    );
    expect(user.roles).toEqual([]);
  });
});

describe("a directory's names and a social provider's", () => {
  /** Guard: federation/linking.ts, linkProvisioned (preset). */
  it("are not compared: the provider numbers its users as it likes", async () => {
    const person = await victim();
    const { id: userId } = person;
    if (!isId("user", userId)) throw new Error("no user");
    const organization = await newOrganization();
    await server.deps.db.insert(scimExternalIds).values({
      tenantId: server.tenant.id,
      scope: organization.id,
      resourceType: "User",
      externalId: subject,
      userId,
    });
    const connection = await connectOidc(server, upstream, {
      preset: "gitlab",
      key: `gitlab-${crypto.randomUUID().slice(0, 8)}`,
      organizationId: organization.id,
    });
    await arriveIn(server.url, connection);
    await expectNotTaken(connection, person);
  });
});

describe("somebody who registered an address before its owner came (pre-hijacking)", () => {
  const arriveAsOwner = async (person: Person) => {
    const connection = await connectOidc(server, upstream);
    Object.assign(upstream.person, { email: person.email, email_verified: true });
    const { browser } = await arriveIn(server.url, connection);
    expect(isSignedIn(browser)).toBe(true);
    const owner = await userOf(connection);
    if (!owner) throw new Error("the owner has no account");
    return owner;
  };

  /** Guard: federation/linking.ts, linkByAddress (holder.verified). */
  it("has nothing of the owner's account, which is a new one with the address", async () => {
    const squatter = await register(server.url);
    const owner = await arriveAsOwner(squatter);
    expect<unknown>(owner.id).not.toBe(squatter.id);
    expect(owner).toMatchObject({ email: squatter.email, emailVerified: true });
    const [released] = (await audited(server, "user.email_released")).slice(-1);
    expect(released?.details).toMatchObject({ reason: "verified_elsewhere" });
  });

  /** Guard: federation/provisioning.ts, release. */
  it("has a password that opens nothing under the address any more", async () => {
    const squatter = await register(server.url);
    expect((await login(server.url, squatter.email)).access_token).toBeString();
    await arriveAsOwner(squatter);
    const body = { identifier: squatter.email, password: PASSWORD };
    expect((await postJson(`${server.url}/login`, body)).status).toBe(401);
  });

  /** Guard: federation/provisioning.ts, release (endAllSessions). */
  it("is signed out, and has no address in their account", async () => {
    const squatter = await register(server.url);
    const { access_token: token } = await login(server.url, squatter.email);
    await arriveAsOwner(squatter);
    expect((await fetch(`${server.url}/me`, { headers: bearer(token) })).status).toBe(401);
    const { access_token: again } = await login(server.url, squatter.username);
    const me = await (await fetch(`${server.url}/me`, { headers: bearer(again) })).json();
    expect(me.email).not.toBe(squatter.email);
  });

  /** Guard: the link's address is gone (users/repo.ts, markEmailVerified). */
  it("cannot have the address back by the link that was mailed for their registration", async () => {
    await server.startWorker();
    const squatter = await register(server.url);
    const link = linkIn(
      await waitForMail(server, squatter.email, ({ text }) => text.includes("/verify-email")),
    );
    const owner = await arriveAsOwner(squatter);
    await new Browser(server.url).submit(link, {}).catch(() => undefined);
    const holder = await findUserByEmail(server.deps, server.tenant.id, squatter.email);
    expect(holder?.id).toBe(owner.id);
  });

  /** Guards, either of which is enough: federation/repo.ts, releaseUnconfirmed (notExists), and linkByAddress (isProvisioned). */
  it("is told apart from whom a directory provisioned: there an administrator has to decide", async () => {
    const person = await register(server.url);
    const { id: userId } = person;
    if (!isId("user", userId)) throw new Error("no user");
    await server.deps.db
      .insert(scimUsers)
      .values({ tenantId: server.tenant.id, userId, createdAt: server.clock.now() });
    const connection = await connectOidc(server, upstream);
    Object.assign(upstream.person, { email: person.email, email_verified: true });
    const { response } = await arriveIn(server.url, connection);
    expect(response.status).toBe(409);
    await expectNotTaken(connection, person);
    await server.deps.db.delete(scimUsers).where(eq(scimUsers.userId, userId));
  });

  /** Guard: federation/provisioning.ts takes only vouched-for addresses: nobody occupies another's by an upstream account. */
  it("occupies no address by an upstream account that does not own it, and learns not whether it has an account", async () => {
    const person = await victim();
    const free = `nobody-${subject}@example.com`;
    const connection = await connectOidc(server, upstream);
    for (const email of [person.email, free]) {
      upstream.person = { sub: `${subject}-${email}`, email, email_verified: false };
      const { response } = await arriveIn(server.url, connection);
      expect([response.status, response.headers.get("location")]).toEqual([302, "/account"]);
    }
    expect(await findUserByEmail(server.deps, server.tenant.id, free)).toBeUndefined();
  });
});
