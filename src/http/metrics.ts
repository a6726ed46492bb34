import type { Registry } from "prom-client";
import { createRequestCounts } from "./request-counts.ts";

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

interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly read: () => Promise<number>;
}

/** @param processLabel tells processes apart that share a port: a scrape reaches one of them */
export function createMetrics(processLabel?: string): Metrics {
  const labels: Record<string, string> = processLabel === undefined ? {} : { process: processLabel };
  const requests = createRequestCounts();
  const gauges: GaugeDefinition[] = [];
  let registry: Promise<Registry> | undefined;

  return {
    observe: requests.observe,
    gauge: (name, help, read) => void gauges.push({ name, help, read }),
    async render() {
      registry ??= openRegistry(labels, gauges);
      return `${requests.render(labels)}\n${await (await registry).metrics()}`;
    },
    contentType: "text/plain; version=0.0.4; charset=utf-8",
  };
}

/** What the process and its queue say of themselves, by a library that is loaded with the first question. */
async function openRegistry(
  labels: Record<string, string>,
  gauges: readonly GaugeDefinition[],
): Promise<Registry> {
  const { collectDefaultMetrics, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry, prefix: "gatewright_" });
  for (const { name, help, read } of gauges) {
    registry.registerMetric(
      new Gauge({
        name: `gatewright_${name}`,
        help,
        registers: [],
        async collect() {
          // One value that cannot be read (the database is away) must not hide all the others.
          this.set(await read().catch(() => Number.NaN));
        },
      }),
    );
  }
  return registry;
}
