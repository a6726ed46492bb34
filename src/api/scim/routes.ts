/** The SCIM surface (RFC 7644), for identity providers that provision users and groups. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { scimBulkRoutes } from "./bulk.ts";
import { scimDiscoveryRoutes } from "./discovery.ts";
import { scimGroupRoutes } from "./groups.ts";
import { scimMeRoutes } from "./me.ts";
import { scimSearchRoutes } from "./search.ts";
import { scimUserRoutes } from "./users.ts";

export const scimRoutes = (deps: Deps) =>
  new Elysia({ name: "scim" })
    .use(scimDiscoveryRoutes(deps))
    .use(scimUserRoutes(deps))
    .use(scimGroupRoutes(deps))
    .use(scimSearchRoutes(deps))
    .use(scimBulkRoutes(deps))
    .use(scimMeRoutes(deps));
