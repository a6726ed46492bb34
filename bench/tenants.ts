/** What many tenants cost: the same request at one tenant over and over, and at each of a thousand. */
import { createClient } from "../src/domain/clients/service.ts";
import { systemContext } from "../src/domain/request-context.ts";
import { findTenantBySlug } from "../src/domain/tenants/service.ts";
import type { Call, Contender } from "./contender.ts";
import type { Gatewright } from "./gatewright.ts";
import { seed } from "./scale.ts";

const TENANTS = 1000;
const USERS = 10_000;

/** @returns the same server twice: asked for tokens by a client of one tenant, and by one of each */
export async function tenantContenders(gatewright: Gatewright): Promise<Contender[]> {
  await seed(gatewright, USERS, TENANTS);
  const calls: Call[] = [];
  for (let number = 2; number <= TENANTS; number++) calls.push(await tokenCall(gatewright, `seed-${number}`));
  const [first] = calls;
  if (!first) throw new Error("there are no tenants");
  const many = TENANTS.toLocaleString("en-US");
  return [
    { ...gatewright, calls: { tenants: first } },
    { ...gatewright, name: `Gatewright, ${many} tenants`, spread: { tenants: calls } },
  ];
}

async function tokenCall({ deps }: Gatewright, slug: string): Promise<Call> {
  const tenant = await findTenantBySlug(deps, slug);
  if (!tenant) throw new Error(`there is no tenant ${slug}`);
  const { client, clientSecret } = await createClient(
    deps,
    tenant.id,
    {
      name: "Bench",
      redirectUris: [],
      grantTypes: ["client_credentials"],
      public: false,
      firstParty: true,
      accessTokenSigningAlg: "ES256",
    },
    { actor: { type: "system" }, context: systemContext },
  );
  return {
    method: "POST",
    path: `/t/${slug}/oauth/token`,
    headers: {
      authorization: `Basic ${btoa(`${client.clientId}:${clientSecret}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  };
}
