import { defineCommand } from "citty";
import { createClient } from "../domain/clients/service.ts";
import { systemContext } from "../domain/request-context.ts";
import { issuerOf } from "../domain/tenants/service.ts";
import { valuesOf } from "./support.ts";
import { requireTenant, tenantArgument, withDeps } from "./with-deps.ts";

const create = defineCommand({
  meta: { name: "create", description: "Registers an application; its secret is shown this once" },
  args: {
    name: { type: "string", required: true, description: "the name that people see" },
    "redirect-uri": {
      type: "string",
      valueHint: "uri...",
      description: "where codes may be sent, compared exactly; may be repeated",
    },
    grant: {
      type: "string",
      valueHint: "grant...",
      description:
        "authorization_code, refresh_token or client_credentials; may be repeated (default: the first two)",
    },
    scope: {
      type: "string",
      valueHint: "scope...",
      description: "a scope it may ask for; may be repeated (default: openid profile email offline_access)",
    },
    public: { type: "boolean", description: "an application that can keep no secret (browser, mobile)" },
    native: {
      type: "boolean",
      description: "runs on the user's machine: loopback ports and private-use schemes",
    },
    "first-party": { type: "boolean", description: "one of your own: users are not asked for consent" },
    tenant: tenantArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  run: ({ args, rawArgs }) =>
    withDeps(async (deps) => {
      const tenant = await requireTenant(deps, args.tenant);
      const scopes = valuesOf(rawArgs, "scope");
      const { client, clientSecret } = await createClient(
        deps,
        tenant.id,
        {
          name: args.name,
          redirectUris: valuesOf(rawArgs, "redirect-uri"),
          grantTypes: valuesOf(rawArgs, "grant"),
          public: args.public ?? false,
          firstParty: args["first-party"] ?? false,
          applicationType: args.native ? "native" : "web",
          ...(scopes.length > 0 ? { scopes } : {}),
        },
        { actor: { type: "system" }, context: systemContext },
      );
      const issuer = issuerOf(tenant, deps.config.publicUrl);
      if (args.json) {
        console.log(
          JSON.stringify({
            client_id: client.clientId,
            client_secret: clientSecret,
            issuer,
            redirect_uris: client.redirectUris,
            grant_types: client.grantTypes,
          }),
        );
        return;
      }
      console.log(`Client ID:     ${client.clientId}`);
      if (clientSecret) console.log(`Client secret: ${clientSecret}   (shown this once)`);
      console.log(`Issuer:        ${issuer}`);
    }),
});

export default defineCommand({
  meta: { name: "clients", description: "Registers applications" },
  subCommands: { create },
});
