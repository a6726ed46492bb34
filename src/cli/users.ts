import { defineCommand } from "citty";
import { setEmail } from "../domain/accounts/email-change.ts";
import { createAccount } from "../domain/accounts/registration.ts";
import { systemContext } from "../domain/request-context.ts";
import { findUserByIdentifier, isEmailAddress, isUsername } from "../domain/users/service.ts";
import { randomSecret } from "../lib/crypto.ts";
import { fail, valuesOf } from "./support.ts";
import * as users from "./user-administration.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const create = defineCommand({
  meta: { name: "create", description: "Creates a user, with an address that counts as verified" },
  args: {
    email: { type: "string", required: true, description: "the email address" },
    username: { type: "string", description: "the username (default: the address's part before the @)" },
    password: {
      type: "string",
      description: "the password, or - to read it from standard input (default: one is made and shown)",
    },
    role: { type: "string", valueHint: "role...", description: "a role, such as admin; may be repeated" },
    tenant: tenantArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const username = args.username ?? args.email.split("@")[0] ?? "";
      if (!isEmailAddress(args.email)) fail("--email must be an email address");
      if (!isUsername(username)) {
        fail("--username must be 3 to 128 letters, digits, dots, underscores and hyphens");
      }
      const tenant = await requireTenant(deps, args.tenant);
      const made = args.password === undefined ? `Gw1-${randomSecret(15)}` : undefined;
      const given = args.password === "-" ? (await Bun.stdin.text()).replace(/\r?\n$/, "") : args.password;
      const user = await createAccount(
        deps,
        tenant,
        {
          email: args.email,
          username,
          password: made ?? given ?? "",
          emailVerified: true,
          roles: valuesOf(rawArgs, "role"),
        },
        systemContext,
      );
      const result = {
        id: user.id,
        username: user.username,
        email: user.email,
        roles: user.roles,
        password: made,
      };
      if (args.json) console.log(JSON.stringify(result));
      else
        console.log(
          `Created ${user.id} (${user.username})${made ? `\nPassword, shown this once: ${made}` : ""}`,
        );
    }),
});

const setAddress = defineCommand({
  meta: {
    name: "set-email",
    description:
      "Gives a user another email address without asking the old one: for who has lost it, and whom you know to be that person. Both addresses are told",
  },
  args: {
    user: { type: "positional", required: true, description: "the user's present address, or username" },
    email: { type: "string", required: true, description: "the new email address" },
    tenant: tenantArgument,
  },
  run: ({ args }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const user = await findUserByIdentifier(deps, tenant.id, args.user);
      if (!user) fail(`there is no user "${args.user}"`);
      await setEmail(deps, tenant.id, user.id, args.email, {
        actor: { type: "system" },
        context: systemContext,
      });
      console.log(`${user.id} (${user.username}) has the address ${args.email} now.`);
    }),
});

export default defineCommand({
  meta: { name: "users", description: "Looks after users" },
  subCommands: {
    create,
    list: users.list,
    show: users.showOne,
    enable: users.enable,
    disable: users.disable,
    roles: users.roles,
    "reset-password": users.passwordReset,
    "sign-out": users.signOut,
    delete: users.remove,
    "set-email": setAddress,
  },
});
