/** Accounts elsewhere, on the security page. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { eq } from "drizzle-orm";
import { passwordCredentials } from "../../src/db/schema/index.ts";
import { isId } from "../../src/lib/ids.ts";
import { Browser, readForm } from "../attacks/support.ts";
import { linkAccount } from "../support/external-accounts.ts";
import { connectOidc, upstreamsAllowed } from "../support/federation.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const PATH = "/account/security";
const DISCONNECT = "/account/external-accounts/disconnect";

let server: TestServer;
let upstream: Upstream;

beforeAll(async () => {
  server = await startTestServer({ env: upstreamsAllowed });
  upstream = startUpstream(() => server.clock.now());
});
afterAll(async () => {
  await upstream.stop();
  await server.stop();
});

/** Somebody signed in, and linked to a connection of this name. */
async function somebody(name: string) {
  const connection = await connectOidc(server, upstream, { name });
  const { person, id } = await linkAccount(
    server,
    { tenant: server.tenant, base: server.url },
    connection.id,
  );
  const browser = new Browser(server.url);
  await browser.signIn(person.username);
  const disconnect = async (accountId: string = id) => {
    const { fields } = readForm(await (await browser.get(PATH)).text(), DISCONNECT);
    return browser.post(DISCONNECT, { ...fields, account_id: accountId });
  };
  return { person, id, browser, connection, disconnect };
}

describe("the security page", () => {
  it("shows what is connected, and offers what is not", async () => {
    const other = await connectOidc(server, upstream, { name: "Another Provider" });
    const { browser } = await somebody("First Provider");
    const html = await (await browser.get(PATH)).text();
    expect(html).toContain("First Provider");
    expect(html).toContain(`value="${other.key}"`);
    expect(html).toContain("Connect Another Provider");
    expect(html).not.toContain("Connect First Provider");
  });

  it("disconnects, and says so", async () => {
    const { browser, id, disconnect } = await somebody("Leaving");
    const response = await disconnect();
    expect(response.headers.get("location")).toBe(`${PATH}?notice=account_disconnected`);
    const html = await (await browser.get(response.headers.get("location") ?? "")).text();
    expect(html).toContain("It is disconnected.");
    expect(html).not.toContain(id);
  });

  it("says what keeps the last way in", async () => {
    const { browser, person, id, disconnect } = await somebody("Last");
    if (!isId("user", person.id)) throw new Error("not a user's id");
    await server.deps.db.delete(passwordCredentials).where(eq(passwordCredentials.userId, person.id));
    const response = await disconnect();
    expect(response.headers.get("location")).toBe(`${PATH}?problem=last_sign_in_method`);
    expect(await (await browser.get(PATH)).text()).toContain(id);
  });

  it("disconnects nothing of anybody else's", async () => {
    const mine = await somebody("Mine");
    const theirs = await somebody("Theirs");
    await mine.disconnect(theirs.id);
    expect(await (await theirs.browser.get(PATH)).text()).toContain(theirs.id);
  });

  it("asks for a proof of lately first", async () => {
    const { browser, id } = await somebody("Later");
    const { fields } = readForm(await (await browser.get(PATH)).text(), DISCONNECT);
    server.clock.advance(16 * 60);
    const response = await browser.post(DISCONNECT, { ...fields, account_id: id });
    expect(response.headers.get("location")).toStartWith("/signin/step-up?");
    expect(await (await browser.get(PATH)).text()).toContain(id);
  });

  it("takes its forms from itself alone", async () => {
    const { browser, id } = await somebody("Forged");
    const answer = await browser.post(DISCONNECT, { account_id: id });
    expect(answer.status).toBe(403);
    expect(await (await browser.get(PATH)).text()).toContain(id);
  });
});
