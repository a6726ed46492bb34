/** The way out for who has lost their address: an administrator's. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import {
  requestEmailChange,
  findPendingEmailChange,
  setEmail,
} from "../../src/domain/accounts/email-change.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findUserById, type User } from "../../src/domain/users/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { login, register } from "../attacks/support.ts";
import { waitForMail } from "../support/mailbox.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function someone(): Promise<User & { email: string }> {
  const { id, email } = await register(server.url);
  const user = isId("user", id) ? await findUserById(server.deps, server.tenant.id, id) : undefined;
  if (!user) throw new Error("nobody registered");
  return { ...user, email };
}

const by = { actor: { type: "system" }, context: systemContext } as const;
const set = (user: User, address: string) => setEmail(server.deps, user.tenantId, user.id, address, by);

describe("an administrator's change of address", () => {
  it("happens at once, counts as verified, ends what the user had asked for, and tells both addresses", async () => {
    const user = await someone();
    const address = `found${crypto.randomUUID()}@example.com`;
    await requestEmailChange(server.deps, user, `other${crypto.randomUUID()}@example.com`, systemContext);
    await set(user, address);
    const changed = await findUserById(server.deps, user.tenantId, user.id);
    expect(changed).toMatchObject({ email: address, emailVerified: true });
    expect(await findPendingEmailChange(server.deps, user)).toBeUndefined();
    for (const to of [user.email, address]) {
      await waitForMail(server, to, ({ subject }) => subject.includes("was changed"));
    }
    await login(server.url, address);
  });

  it("takes no address that somebody has, none that is none, and nobody who is not there", async () => {
    const [user, other] = [await someone(), await someone()];
    await expect(set(user, other.email)).rejects.toMatchObject({ status: 409 });
    await expect(set(user, "nonsense")).rejects.toMatchObject({ status: 422 });
    await expect(set(user, user.email.toUpperCase())).rejects.toMatchObject({ status: 422 });
    const gone = { ...user, id: "user_01JD2M9V7QX5T8Z4C6B3N0K1HF" } as const;
    await expect(set(gone, "new@example.com")).rejects.toMatchObject({ status: 404 });
  });
});
