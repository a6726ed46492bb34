/** Adding a SAML account to one's own: only for who asked for it, in the session in which they did. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { externalAccounts } from "../../../src/db/schema/index.ts";
import type { SamlConnection } from "../../../src/domain/connections/service.ts";
import { openRoundTrip } from "../../../src/domain/federation/round-trip.ts";
import { browserCookieName } from "../../../src/web/cookies.ts";
import { findSessionByCookie } from "../../../src/domain/sessions/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { addUser, signedInBrowser } from "../../conformance/support.ts";
import type { HttpBrowser } from "../../support/browser.ts";
import { bring, connectSaml, rightParts, spOf } from "../../support/saml-connection.ts";
import { type Credentials, newCredentials, signedResponse } from "../../support/saml-identity-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let credentials: Credentials;
let connection: SamlConnection;
beforeAll(async () => {
  server = await startTestServer();
  credentials = await newCredentials();
  connection = await connectSaml(server, credentials);
});
afterAll(() => server?.stop());

/** What the account's page begins, after a fresh proof. */
async function beginLink(browser: HttpBrowser, user: User): Promise<string> {
  await browser.open("/account");
  const cookie = [...browser.cookies].find(([name]) => name.startsWith("__Host-gw_session"))?.[1];
  const session = await findSessionByCookie(server.deps, server.tenant.id, cookie);
  const { token } = await openRoundTrip(server.deps, server.tenant, connection, {
    purpose: "link",
    userId: user.id,
    sessionId: session?.id,
    samlRequestId: `_${user.username}`,
    rememberMe: false,
    browserSecret: browser.cookies.get(browserCookieName) ?? "",
  });
  return token;
}

function comeBack(browser: HttpBrowser, relayState: string, user: User, nameId: string) {
  const sp = spOf(server, connection);
  const parts = rightParts(server, sp, {
    inResponseTo: `_${user.username}`,
    nameId,
    attributes: { mail: [`${nameId}@example.com`] },
  });
  return bring(sp, { browser, relayState }, signedResponse(parts, "both", credentials));
}

async function ownerOf(subject: string): Promise<string | undefined> {
  const [row] = await server.deps.db
    .select({ userId: externalAccounts.userId })
    .from(externalAccounts)
    .where(and(eq(externalAccounts.connectionId, connection.id), eq(externalAccounts.subject, subject)));
  return row?.userId;
}

describe("connecting a SAML account", () => {
  it("adds it to the account of who is signed in", async () => {
    const user = await addUser(server, "linker");
    const browser = await signedInBrowser(server, user);
    const visit = await comeBack(browser, await beginLink(browser, user), user, "id-linker");
    expect(visit.url.pathname).toStartWith("/account");
    expect(await ownerOf("id-linker")).toBe(user.id);
  });

  it("adds it to nobody's when somebody else signed in meanwhile", async () => {
    const [user, other] = [await addUser(server, "leaver"), await addUser(server, "taker")];
    const browser = await signedInBrowser(server, user);
    const token = await beginLink(browser, user);
    const theirs = await signedInBrowser(server, other);
    for (const [name, value] of theirs.cookies)
      if (name.includes("session")) browser.cookies.set(name, value);
    const visit = await comeBack(browser, token, user, "id-leaver");
    expect(visit.status).toBe(403);
    expect(await ownerOf("id-leaver")).toBeUndefined();
  });

  it("takes it from nobody who has it already", async () => {
    const [first, second] = [await addUser(server, "first"), await addUser(server, "second")];
    for (const [user, status] of [
      [first, 200],
      [second, 409],
    ] as const) {
      const browser = await signedInBrowser(server, user);
      const visit = await comeBack(browser, await beginLink(browser, user), user, "id-shared");
      expect(visit.status).toBe(status);
    }
    expect(await ownerOf("id-shared")).toBe(first.id);
  });
});
