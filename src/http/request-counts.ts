/**
 * Requests and the time they took, counted without looking up labels for each, since each request is counted; written in the
 * text format of Prometheus when somebody asks.
 */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Of one method. */
interface Counts {
  readonly statuses: Map<number, number>;
  /** How many took at most as long as the bucket of the same place and longer than the one before; the last: longer than all. */
  readonly buckets: number[];
  sumSeconds: number;
}

export interface RequestCounts {
  observe(method: string, status: number, seconds: number): void;
  /** @param common labels of every sample */
  render(common: Readonly<Record<string, string>>): string;
}

export function createRequestCounts(): RequestCounts {
  const methods = new Map<string, Counts>();
  return {
    observe(method, status, seconds) {
      // A stranger chooses the method: unknown ones share a label, so that they cannot fill the memory with series.
      const label = METHODS.has(method) ? method : "other";
      let counts = methods.get(label);
      if (!counts) {
        counts = { statuses: new Map(), buckets: [...BUCKETS_SECONDS, 0].fill(0), sumSeconds: 0 };
        methods.set(label, counts);
      }
      counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
      let bucket = 0;
      while (seconds > (BUCKETS_SECONDS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
      counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
      counts.sumSeconds += seconds;
    },
    render: (common) => [...totals(methods, common), ...durations(methods, common)].join("\n"),
  };
}

function totals(methods: ReadonlyMap<string, Counts>, common: Readonly<Record<string, string>>): string[] {
  const name = "gatewright_http_requests_total";
  return [
    `# HELP ${name} HTTP requests answered`,
    `# TYPE ${name} counter`,
    ...[...methods].flatMap(([method, { statuses }]) =>
      [...statuses].map(([status, count]) =>
        sample(name, { method, status: String(status), ...common }, count),
      ),
    ),
  ];
}

function durations(methods: ReadonlyMap<string, Counts>, common: Readonly<Record<string, string>>): string[] {
  const name = "gatewright_http_request_duration_seconds";
  return [
    `# HELP ${name} Time to answer an HTTP request`,
    `# TYPE ${name} histogram`,
    ...[...methods].flatMap(([method, { buckets, sumSeconds }]) => {
      const labels = { method, ...common };
      let count = 0;
      const cumulated = buckets.map((inBucket, index) => {
        count += inBucket;
        return sample(`${name}_bucket`, { le: String(BUCKETS_SECONDS[index] ?? "+Inf"), ...labels }, count);
      });
      return [
        ...cumulated,
        sample(`${name}_sum`, labels, sumSeconds),
        sample(`${name}_count`, labels, count),
      ];
    }),
  ];
}

/** None of our labels holds what would have to be escaped. */
function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const written = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${name}{${written.join(",")}} ${value}`;
}
