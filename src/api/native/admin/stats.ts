/** The numbers of the administrators' first page. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import { readStatistics } from "../../../domain/statistics/service.ts";
import { bearerAuth } from "../../../http/models.ts";
import { adminScope } from "../../../http/scope.ts";
import { adminErrors } from "./models.ts";

const Count = (description: string) => t.Integer({ description });

const StatsResponse = t.Object(
  {
    total_users: Count("All users of the tenant"),
    active_sessions: Count("Sessions that have neither ended nor expired"),
    recent_users: Count("Users who were created in the last 7 days"),
    total_organizations: Count("Tenants that the caller administers"),
    total_clients: Count("Clients of the tenant, the built-in one among them"),
    total_roles: Count("Roles of the tenant"),
    total_groups: Count("Groups of the tenant"),
    recent_events: Count("Events of the audit trail in the last 24 hours"),
    login_counts: t.Array(
      t.Object({ day: t.String({ format: "date" }), count: Count("Sign-ins on this day") }),
      { description: "The last 30 days (UTC), today included" },
    ),
    role_counts: t.Array(t.Object({ role: t.String(), count: Count("Users who have it without a group") })),
  },
  { description: "Numbers of a tenant" },
);

export const adminStatsRoutes = (deps: Deps) =>
  new Elysia({ name: "native-admin-stats", detail: { tags: ["Statistics"], security: bearerAuth } })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/stats",
      async ({ tenant, by }): Promise<typeof StatsResponse.static> => {
        const stats = await readStatistics(deps, tenant.id);
        return {
          total_users: stats.users,
          active_sessions: stats.activeSessions,
          recent_users: stats.recentUsers,
          total_organizations: by.superAdmin ? stats.tenants : 1,
          total_clients: stats.clients,
          total_roles: stats.roles,
          total_groups: stats.groups,
          recent_events: stats.recentEvents,
          login_counts: [...stats.logins],
          role_counts: [...stats.roleCounts],
        };
      },
      { response: { 200: StatsResponse, ...adminErrors }, detail: { summary: "Numbers of the tenant" } },
    );
