/** What load balancers and monitoring ask. */
import { Elysia, t } from "elysia";
import { pingDatabase } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { commonErrors, ErrorResponse, publicRoute } from "../../http/models.ts";
import type { Metrics } from "../../http/metrics.ts";
import { notFound, unauthorized } from "../../lib/errors.ts";
import { equalInConstantTime, sha256 } from "../../lib/crypto.ts";
import { extractBearerToken } from "../../protocol/oauth/bearer.ts";
import type { QueueHealth } from "../../queue/health.ts";

const Part = t.Union([t.Literal("ok"), t.Literal("failed")]);
const Readiness = t.Object({
  status: t.Union([t.Literal("ok"), t.Literal("unavailable")]),
  checks: t.Object({ database: Part, queue: Part }),
});

export const healthRoutes = (deps: Deps, metrics: Metrics, queue: QueueHealth) =>
  new Elysia({ name: "operations", detail: { tags: ["Operations"], security: publicRoute } })
    .get("/healthz", () => ({ status: "ok" as const }), {
      response: { 200: t.Object({ status: t.Literal("ok") }) },
      detail: { summary: "Whether the server runs" },
    })
    .get(
      "/readyz",
      async ({ status }) => {
        const [database, jobs] = await Promise.allSettled([pingDatabase(deps.db), queue.check()]);
        for (const result of [database, jobs]) {
          if (result.status === "rejected") deps.log.warn({ err: result.reason }, "not ready");
        }
        const checks = { database: partOf(database), queue: partOf(jobs) };
        const ready = checks.database === "ok" && checks.queue === "ok";
        return ready
          ? { status: "ok" as const, checks }
          : status(503, { status: "unavailable" as const, checks });
      },
      {
        response: { 200: Readiness, 503: Readiness },
        detail: {
          summary: "Whether the server can do its work",
          description: "Asks the database and the queue.",
        },
      },
    )
    .get(
      "/metrics",
      async ({ request }) => {
        requireMetricsToken(deps, request);
        return new Response(await metrics.render(), { headers: { "content-type": metrics.contentType } });
      },
      {
        response: {
          200: t.String({ description: "Prometheus text format" }),
          401: ErrorResponse,
          ...commonErrors,
        },
        detail: {
          summary: "Metrics for Prometheus",
          description:
            "Needs GATEWRIGHT_METRICS_TOKEN as a Bearer token; without that variable there is nothing here.",
          security: [{ metricsToken: [] }],
        },
      },
    );

function partOf({ status }: PromiseSettledResult<void>): "ok" | "failed" {
  return status === "fulfilled" ? "ok" : "failed";
}

function requireMetricsToken(deps: Deps, request: Request): void {
  const expected = deps.config.metricsToken;
  if (expected === undefined) throw notFound("There is nothing at this path.");
  const token = extractBearerToken(request.headers.get("authorization")) ?? "";
  // Digests are of one length, so that the comparison tells nothing of the token's.
  if (!equalInConstantTime(sha256(token), sha256(expected))) throw unauthorized();
}
