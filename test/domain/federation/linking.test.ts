/** Whose account somebody comes to from a connection. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { createOrganization } from "../../../src/domain/organizations/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserByEmail, findUserById } from "../../../src/domain/users/service.ts";
import { scimExternalIds, users, userEmails } from "../../../src/db/schema/index.ts";
import { eq } from "drizzle-orm";
import { register } from "../../attacks/support.ts";
import {
  arriveIn,
  audited,
  connectOidc,
  isSignedIn,
  linkedTo,
  refusalOf,
  travel,
  upstreamsAllowed,
} from "../../support/federation.ts";
import { confirmAddress } from "../../support/mfa.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { Browser } from "../../attacks/support.ts";

let server: TestServer;
let upstream: Upstream;
let subject: string;
let email: string;
let people = 0;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});
/** Somebody nobody has seen before. */
beforeEach(() => {
  people += 1;
  subject = `up-${people}`;
  email = `ada${people}@up.example`;
  upstream.person = {
    sub: subject,
    email,
    email_verified: true,
    given_name: "Ada",
    family_name: "Lovelace",
    preferred_username: `ada${people}`,
  };
});

const arrive = (connection: Connection) => arriveIn(server.url, connection);
const by = { actor: { type: "system" } as const, context: systemContext };

/** Whose account the subject is linked to by now. */
async function userOf(connection: Connection, of = subject) {
  const account = await linkedTo(server, connection, of);
  return account && findUserById(server.deps, server.tenant.id, account.userId);
}

describe("somebody who has an account with the address", () => {
  it("is linked to it when both sides verified the address", async () => {
    const connection = await connectOidc(server, upstream);
    await register(server.url, { email });
    await confirmAddress(server, email);
    await arrive(connection);
    const local = await findUserByEmail(server.deps, server.tenant.id, email);
    expect<unknown>((await userOf(connection))?.id).toBe(local?.id);
    const [linked] = (await audited(server, "social_account_linked")).slice(-1);
    expect(linked?.details).toMatchObject({ by: "verified_email", provider: connection.key });
  });

  it("is not linked where the connection's policy is never to", async () => {
    const connection = await connectOidc(server, upstream, { linkPolicy: "never" });
    await register(server.url, { email });
    await confirmAddress(server, email);
    const { browser, response } = await arrive(connection);
    expect(response.status).toBe(409);
    expect(isSignedIn(browser)).toBe(false);
    expect(await userOf(connection)).toBeUndefined();
  });

  it("is not linked by an address whose word is taken for its own domains alone", async () => {
    const connection = await connectOidc(server, upstream, {
      trustEmails: "own_domains",
      domains: [`own${people}.example`],
    });
    await register(server.url, { email });
    await confirmAddress(server, email);
    await arrive(connection);
    expect((await userOf(connection))?.email).toBeNull();

    upstream.person = { sub: `${subject}-own`, email: `ada@own${people}.example` };
    await arrive(connection);
    expect(await userOf(connection, `${subject}-own`)).toMatchObject({ emailVerified: true });

    upstream.person = { sub: `${subject}-not`, email: `eve@own${people}.example`, email_verified: false };
    await arrive(connection);
    expect(await userOf(connection, `${subject}-not`)).toMatchObject({ email: null });
  });
});

describe("somebody whom the organization's directory provisioned", () => {
  async function provisioned(externalId: string) {
    const organization = await createOrganization(
      server.deps,
      server.tenant.id,
      { slug: `dir-${people}`, name: "Dir" },
      by,
    );
    const person = await register(server.url);
    const user = await findUserByEmail(server.deps, server.tenant.id, person.email);
    if (!user) throw new Error("nobody registered");
    await server.deps.db.insert(scimExternalIds).values({
      tenantId: server.tenant.id,
      scope: organization.id,
      resourceType: "User",
      externalId,
      userId: user.id,
    });
    return { organization, user };
  }

  it("is linked at the first sign-in by the subject that is their externalId", async () => {
    const { organization, user } = await provisioned(subject);
    const connection = await connectOidc(server, upstream, { organizationId: organization.id });
    await arrive(connection);
    expect((await userOf(connection))?.id).toBe(user.id);
    const [linked] = (await audited(server, "social_account_linked")).slice(-1);
    expect(linked?.details).toMatchObject({ by: "external_id" });
  });

  it("has the address confirmed that the directory wrote down, by a connection that is believed it", async () => {
    const { organization, user } = await provisioned(subject);
    const domain = `dir${people}.example`;
    const address = `ada@${domain}`;
    await server.deps.db
      .update(userEmails)
      .set({ address, addressKey: address })
      .where(eq(userEmails.userId, user.id));
    const connection = await connectOidc(server, upstream, {
      organizationId: organization.id,
      trustEmails: "own_domains",
      domains: [domain],
    });
    upstream.person = { sub: subject, email: address };
    await arrive(connection);
    expect(await userOf(connection)).toMatchObject({ id: user.id, email: address, emailVerified: true });
  });

  it("is linked by the claim that an administrator mapped to it", async () => {
    const { organization, user } = await provisioned(`oid-${people}`);
    const connection = await connectOidc(server, upstream, {
      organizationId: organization.id,
      attributeMapping: { external_id: "{{ oid }}" },
    });
    upstream.person["oid"] = `oid-${people}`;
    await arrive(connection);
    expect((await userOf(connection))?.id).toBe(user.id);
  });

  it("is nobody to another organization's connection, or the tenant's", async () => {
    const { user } = await provisioned(subject);
    const connection = await connectOidc(server, upstream);
    await arrive(connection);
    expect((await userOf(connection))?.id).not.toBe(user.id);
  });
});

describe("somebody who comes again", () => {
  it("has the same account, whatever their address is by now", async () => {
    const connection = await connectOidc(server, upstream);
    await arrive(connection);
    const first = await userOf(connection);
    upstream.person["email"] = `moved${people}@up.example`;
    await arrive(connection);
    expect<unknown>((await userOf(connection))?.id).toBe(first?.id);
    expect((await userOf(connection))?.email).toBe(email);
    expect((await linkedTo(server, connection, subject))?.email).toBe(`moved${people}@up.example`);
  });

  it("has the profile refreshed, except for what they wrote themselves", async () => {
    const connection = await connectOidc(server, upstream);
    await arrive(connection);
    const user = await userOf(connection);
    if (!user) throw new Error("nobody came");
    await server.deps.db.update(users).set({ givenName: "Augusta" }).where(eq(users.id, user.id));
    Object.assign(upstream.person, {
      given_name: "A.",
      family_name: "King",
      picture: "https://up.example/a.png",
    });
    await arrive(connection);
    expect(await userOf(connection)).toMatchObject({
      givenName: "Augusta",
      familyName: "King",
      picture: "https://up.example/a.png",
    });
  });

  it("is refused when the account is disabled", async () => {
    const connection = await connectOidc(server, upstream);
    await arrive(connection);
    const user = await userOf(connection);
    if (!user) throw new Error("nobody came");
    await server.deps.db.update(users).set({ enabled: false }).where(eq(users.id, user.id));
    const { browser, response } = await arrive(connection);
    expect(await refusalOf(response)).toContain("cannot sign in");
    expect(isSignedIn(browser)).toBe(false);
  });

  it("ends the session of whoever was signed in to the browser", async () => {
    const connection = await connectOidc(server, upstream);
    const browser = new Browser(server.url);
    await travel(browser, connection);
    const before = new Map(browser.cookies);
    upstream.person = { sub: `${subject}-b`, email: `b${email}`, email_verified: true };
    await travel(browser, connection);
    const old = new Browser(server.url);
    for (const [name, value] of before) old.cookies.set(name, value);
    expect((await old.get("/account")).status).toBe(302);
    expect((await browser.get("/account")).status).toBe(200);
  });
});
