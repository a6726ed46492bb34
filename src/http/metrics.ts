import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What the gateway tells of each request. */
export interface HttpMetrics {
  observe(method: string, status: number, seconds: number): void;
}

export interface Metrics extends HttpMetrics {
  /** A value that is asked for when the metrics are read. */
  gauge(name: string, help: string, read: () => Promise<number>): void;
  /** The Prometheus text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** @param processLabel tells processes apart that share a port: a scrape reaches one of them */
export function createMetrics(processLabel?: string): Metrics {
  const registry = new Registry();
  if (processLabel !== undefined) registry.setDefaultLabels({ process: processLabel });
  collectDefaultMetrics({ register: registry, prefix: "gatewright_" });
  const requests = new Counter({
    name: "gatewright_http_requests_total",
    help: "HTTP requests answered",
    labelNames: ["method", "status"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "gatewright_http_request_duration_seconds",
    help: "Time to answer an HTTP request",
    labelNames: ["method"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });

  return {
    observe(method, status, seconds) {
      // A stranger chooses the method: unknown ones share a label, so that they cannot fill the memory with series.
      const label = METHODS.has(method) ? method : "other";
      requests.inc({ method: label, status });
      duration.observe({ method: label }, seconds);
    },
    gauge(name, help, read) {
      const gauge = new Gauge({
        name: `gatewright_${name}`,
        help,
        registers: [],
        async collect() {
          // One value that cannot be read (the database is away) must not hide all the others.
          this.set(await read().catch(() => Number.NaN));
        },
      });
      registry.registerMetric(gauge);
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
