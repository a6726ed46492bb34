/**
 * Accounts that were made for somebody else's address, with a provider's account of the attacker's connected to them, before
 * the owner came (Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022: the trojan identifier attack).
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { externalAccounts } from "../../../src/db/schema/index.ts";
import type { Connection } from "../../../src/domain/connections/model.ts";
import { signInExternally } from "../../../src/domain/federation/sign-in.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { assignRoles } from "../../../src/domain/roles/service.ts";
import { isId } from "../../../src/lib/ids.ts";
import {
  arriveIn,
  connectOidc,
  isSignedIn,
  linkedTo,
  upstreamsAllowed,
  visit,
} from "../../support/federation.ts";
import { linkIn, waitForMail } from "../../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../../support/server.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { bearer, Browser, login, readForm, register } from "../support.ts";

let server: TestServer;
let upstream: Upstream;
beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
  await server.startWorker();
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});

/** As somebody signed in does it on the page of their account. */
async function connectTo({ key }: Connection, browser: Browser): Promise<void> {
  const form = readForm(await (await browser.get("/account/security/password")).text());
  const fields = { csrf: form.fields["csrf"] ?? "", connection: key };
  const html = await (await browser.post("/account/external-accounts/connect", fields)).text();
  const url = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1] ?? "";
  await browser.get((await visit(new URL(url.replaceAll("&amp;", "&")))).href);
}

const OWNERS = "0wner's-P@ssw0rd";

describe("a provider's account that was connected before the owner of the address came", () => {
  /** Guard: accounts/forget-factors.ts (removeAllExternalAccounts). */
  it("opens nothing once the owner has reset the password", async () => {
    const connection = await connectOidc(server, upstream, { allowSignUp: false });
    const subject = crypto.randomUUID();
    upstream.person = { sub: subject };
    const squatter = await register(server.url);
    const browser = new Browser(server.url);
    await browser.signIn(squatter.username);
    await connectTo(connection, browser);
    expect<unknown>((await linkedTo(server, connection, subject))?.userId).toBe(squatter.id);

    await postJson(`${server.url}/forgot-password`, { email: squatter.email });
    const mail = await waitForMail(server, squatter.email, ({ text }) => text.includes("/reset-password"));
    const token = new URL(linkIn(mail)).searchParams.get("token");
    const reset = await postJson(`${server.url}/reset-password`, { token, new_password: OWNERS });
    expect(reset.status).toBe(200);

    expect(isSignedIn((await arriveIn(server.url, connection)).browser)).toBe(false);
    expect(await linkedTo(server, connection, subject)).toBeUndefined();
    expect((await login(server.url, squatter.email, OWNERS)).access_token).toBeString();
  });
});

describe("a sign-in that is under way while the provider's account is taken off the user", () => {
  /** Guard: federation/sign-in.ts, redeem (findAccount). */
  it("begins no session", async () => {
    const { deps, tenant } = server;
    const connection = await connectOidc(server, upstream);
    const identity = { subject: crypto.randomUUID(), emailVerified: false, claims: {} };
    const signIn = signInExternally(deps, tenant, {
      connection,
      identity,
      redeem: async () => {
        await deps.db.delete(externalAccounts).where(eq(externalAccounts.subject, identity.subject));
      },
      rememberMe: false,
      before: undefined,
      deviceToken: undefined,
      context: systemContext,
    });
    expect(await signIn.catch((error: unknown) => error)).toMatchObject({ problem: "trip_lost" });
  });
});

describe("an administrator whose address is not confirmed", () => {
  /** Guard: federation/linking.ts, linkByAddress (administers). */
  it("keeps it, and their sessions, whatever a connection says of it", async () => {
    const person = await register(server.url);
    const { id: userId } = person;
    if (!isId("user", userId)) throw new Error("no user");
    const by = { actor: { type: "system" } as const, context: systemContext, now: server.clock.now() };
    await assignRoles(server.deps.db, { tenantId: server.tenant.id, userId, roles: ["admin"], ...by });
    const { access_token: token } = await login(server.url, person.username);
    const connection = await connectOidc(server, upstream);
    upstream.person = { sub: crypto.randomUUID(), email: person.email, email_verified: true };
    expect((await arriveIn(server.url, connection)).response.status).toBe(409);
    const me = await fetch(`${server.url}/me`, { headers: bearer(token) });
    expect(await me.json()).toMatchObject({ email: person.email });
  });
});
