import { defineCommand } from "citty";
import { seed } from "../domain/seed/service.ts";
import { readEnvironment } from "../config.ts";
import { randomSecret } from "../lib/crypto.ts";
import { fail, wholeNumber } from "./support.ts";
import { withDeps } from "./with-deps.ts";

const MOST = 100_000_000;

export default defineCommand({
  meta: {
    name: "seed",
    description:
      "Fills the database with invented users and audit events, to try and to measure it. All seeded users have one password, which is shown once",
  },
  args: {
    users: { type: "string", default: "0", description: "how many users to make" },
    tenants: {
      type: "string",
      default: "1",
      description: "over how many tenants to spread them: the default one, and seed-2, seed-3 …",
    },
    "audit-events": {
      type: "string",
      default: "0",
      description: "how many audit events to make, spread over the last months",
    },
    add: { type: "boolean", description: "go on where an earlier seeding ended" },
    yes: { type: "boolean", description: "do so in production, too" },
  },
  async run({ args }) {
    const users = wholeNumber(args.users, "users", { minimum: 0, maximum: MOST });
    const tenants = wholeNumber(args.tenants, "tenants", { minimum: 1, maximum: 100_000 });
    const auditEvents = wholeNumber(args["audit-events"], "audit-events", { minimum: 0, maximum: MOST });
    if (users + auditEvents === 0) fail("say how many: --users N, --audit-events N");
    if (readEnvironment()["NODE_ENV"] === "production" && !args.yes)
      fail("NODE_ENV is production: say --yes to fill this database with invented users");
    const password = `Gw1-${randomSecret(15)}`;
    await withDeps(async (deps) => {
      const begun = performance.now();
      const say = sayer();
      await seed(deps, { users, tenants, auditEvents, password, add: args.add ?? false }, say);
      const seconds = (performance.now() - begun) / 1000;
      console.log(`Done in ${seconds.toFixed(1)} s.`);
      if (users > 0) console.log(`Password of the seeded users, shown this once: ${password}`);
    });
  },
});

/** A line a second at most, and one when all of a kind are made. */
function sayer() {
  const begun = new Map<string, number>();
  let said = 0;
  return (what: string, done: number, of: number) => {
    const now = performance.now();
    const start = begun.get(what) ?? now;
    begun.set(what, start);
    if (done < of && now - said < 1000) return;
    said = now;
    const rate = now > start ? `, ${Math.round((done / (now - start)) * 1000)} a second` : "";
    console.log(`${done} of ${of} ${what}${rate}`);
  };
}
