/** The account of somebody who comes from a connection for the first time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { createConnection } from "../../../src/domain/connections/administration.ts";
import { createRole } from "../../../src/domain/roles/administration.ts";
import { createOrganization } from "../../../src/domain/organizations/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { findUserById } from "../../../src/domain/users/service.ts";
import { organizationMembers, users } from "../../../src/db/schema/index.ts";
import { newId } from "../../../src/lib/ids.ts";
import { eq } from "drizzle-orm";
import { register } from "../../attacks/support.ts";
import {
  arriveIn,
  audited,
  connectOidc,
  isSignedIn,
  linkedTo,
  refusalOf,
  upstreamsAllowed,
} from "../../support/federation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";

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

describe("somebody who comes for the first time", () => {
  it("gets an account with what the connection said, and its address as a verified one", async () => {
    const connection = await connectOidc(server, upstream);
    const { browser } = await arrive(connection);
    expect(isSignedIn(browser)).toBe(true);
    expect(await userOf(connection)).toMatchObject({
      username: `ada${people}`,
      email,
      emailVerified: true,
      givenName: "Ada",
      familyName: "Lovelace",
    });
  });

  it("is written down in the audit trail as created, linked and signed in", async () => {
    const connection = await connectOidc(server, upstream);
    await arrive(connection);
    const user = await userOf(connection);
    const events = await audited(
      server,
      "user.created",
      "social_account_linked",
      "social_login",
      "user.login",
    );
    expect(
      events
        .filter(({ actorId }) => actorId === user?.id)
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(["social_account_linked", "social_login", "user.created", "user.login"]);
  });

  it("gets the connection's default role, and becomes a member of its organization", async () => {
    const organization = await createOrganization(
      server.deps,
      server.tenant.id,
      { slug: `org-${people}`, name: "Org" },
      by,
    );
    await createRole(
      server.deps,
      server.tenant.id,
      { name: `guest${people}`, description: "", permissions: [] },
      { ...by, superAdmin: true },
    );
    const connection = await connectOidc(server, upstream, {
      organizationId: organization.id,
      defaultRole: `guest${people}`,
    });
    await arrive(connection);
    const user = await userOf(connection);
    expect(user?.roles).toEqual([`guest${people}`]);
    const members = await server.deps.db
      .select()
      .from(organizationMembers)
      .where(eq(organizationMembers.organizationId, organization.id));
    expect(members.map(({ userId }) => userId)).toEqual([user?.id ?? newId("user")]);
  });

  it("gets a username that is free, where the wished one is taken or cannot be one", async () => {
    const connection = await connectOidc(server, upstream);
    upstream.person["preferred_username"] = `ada${people - 1}`;
    await register(server.url, { username: `ada${people - 1}-taken` });
    upstream.person["preferred_username"] = `ada${people - 1}-taken`;
    await arrive(connection);
    expect((await userOf(connection))?.username).toMatch(new RegExp(`^ada${people - 1}-taken-\\d{5}$`));

    upstream.person = { sub: `${subject}-b`, preferred_username: "Ä", name: "…" };
    await arrive(connection);
    expect((await userOf(connection, `${subject}-b`))?.username).toMatch(/^[a-z0-9-]+-user(-\d{5})?$/);
  });

  it("gets no address that the connection does not vouch for", async () => {
    const connection = await connectOidc(server, upstream);
    upstream.person["email_verified"] = false;
    await arrive(connection);
    expect(await userOf(connection)).toMatchObject({ email: null, emailVerified: false });
  });

  it("is refused without a vouched-for address where addresses have to be verified", async () => {
    const connection = await connectOidc(server, upstream);
    upstream.person["email_verified"] = false;
    await server.configure({ email_verification_required: true });
    const { browser, response } = await arrive(connection);
    await server.configure({ email_verification_required: false });
    expect(response.status).toBe(403);
    expect(isSignedIn(browser)).toBe(false);
    expect(await userOf(connection)).toBeUndefined();
  });

  it("is refused where the connection takes no new people", async () => {
    const connection = await connectOidc(server, upstream, { allowSignUp: false });
    const { response } = await arrive(connection);
    expect(await refusalOf(response)).toContain("You have no account here yet");
    const [failed] = (await audited(server, "social_login_failed")).slice(-1);
    expect(failed?.details).toMatchObject({ provider: connection.key, reason: "sign_up_closed" });
  });

  it("is refused with a subaddress where the connection blocks them", async () => {
    const connection = await connectOidc(server, upstream, { blockEmailSubaddresses: true });
    upstream.person["email"] = `ada+${people}@up.example`;
    const { response } = await arrive(connection);
    expect(response.status).toBe(403);
    expect(await refusalOf(response)).toContain("plus sign");
    upstream.person["email"] = email;
    expect((await arrive(connection)).response.status).toBe(302);
  });

  it("is made one user by two first sign-ins at once", async () => {
    const connection = await connectOidc(server, upstream);
    const arrivals = await Promise.all(Array.from({ length: 5 }, () => arrive(connection)));
    expect(arrivals.every(({ browser }) => isSignedIn(browser))).toBe(true);
    const made = await server.deps.db
      .select()
      .from(users)
      .where(eq(users.usernameKey, `ada${people}`));
    expect(made).toHaveLength(1);
    expect(
      (await audited(server, "user.created")).filter(({ actorId }) => actorId === made[0]?.id),
    ).toHaveLength(1);
  });
});

describe("a public provider of a tenant whose registration is closed", () => {
  it("makes no accounts, and signs in those who have one", async () => {
    const input = {
      preset: "google",
      key: `google-${people}`,
      config: { issuer: upstream.url, client_id: "us" },
      secrets: { client_secret: "s" },
    };
    const { connection } = await createConnection(server.deps, server.tenant.id, input, {
      ...by,
      superAdmin: true,
    });
    await server.configure({ self_registration_enabled: false });
    const refused = await arrive(connection);
    await server.configure({ self_registration_enabled: true });
    expect(refused.response.status).toBe(403);
    expect((await arrive(connection)).response.status).toBe(302);
    await server.configure({ self_registration_enabled: false });
    expect((await arrive(connection)).response.status).toBe(302);
    await server.configure({ self_registration_enabled: true });
  });
});
