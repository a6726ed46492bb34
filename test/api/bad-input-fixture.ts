/** What the tests of bad input send, and how they judge the answers. */
import { createApp } from "../../src/app.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createQueueHealth } from "../../src/queue/health.ts";
import type { TestServer } from "../support/server.ts";

/** In every value that is sent; it survives every encoding unchanged and is no word of ours. */
export const MARKER = "zqxjmarker";

/** What would do harm on a page that shows it unescaped. */
export const HARMFUL = `"'><script>${MARKER}</script>`;

export interface Route {
  readonly method: string;
  readonly path: string;
  /** The fields of the body, if it is an object. */
  readonly fields: readonly string[];
  readonly query: readonly string[];
  readonly documented: readonly number[];
}

const fieldsOf = (schema: unknown) =>
  typeof schema === "object" && schema !== null && "properties" in schema
    ? Object.keys(schema.properties ?? {})
    : [];

/** Every route of the server, with what it takes and answers. */
export async function routesOf(server: TestServer): Promise<Route[]> {
  const queue = createQueueHealth(server.config, server.deps.db, server.deps.log);
  const app = createApp(server.deps, { metrics: createMetrics(), queue });
  const routes = app.routes
    .filter(({ hooks }) => !hooks.detail?.hide)
    .map(({ method, path, hooks }) => ({
      method,
      path,
      fields: fieldsOf(hooks.body),
      query: fieldsOf(hooks.query),
      documented: Object.keys(hooks.response ?? {}).map(Number),
    }));
  await queue.close();
  return routes;
}

/** Fields of forms and queries that are read without a schema. */
const NAMES =
  "identifier email username password token interaction csrf decision given_name " +
  "notice ui_locales grant_type client_id client_secret redirect_uri response_type code state " +
  "scope refresh_token access_token prompt max_age claims nonce message limit";

export const looseFields: readonly string[] = NAMES.split(" ");

/** Kinds of values that a field may get. */
export const values: Readonly<Record<string, unknown>> = {
  text: MARKER,
  harmful: HARMFUL,
  "the empty text": "",
  "a long text": `${MARKER}${"x".repeat(20_000)}`,
  "a NUL character": `${MARKER}\0${MARKER}`,
  "a lone surrogate": `${MARKER}\ud800`,
  "right-to-left and wide characters": `\u202e${MARKER}\u{1f600}\u0301`,
  "line feeds": `${MARKER}\r\nset-cookie: ${MARKER}=1`,
  "an address with harm in it": `"${HARMFUL}"@example.com`,
  "an address": `${MARKER}@example.com`,
  "a number": 9_007_199_254_740_991,
  "a huge number": 1e308,
  "a negative number": -1,
  true: true,
  null: null,
  "a list": [MARKER, MARKER],
  "an object": { [MARKER]: MARKER, $ne: MARKER },
  "an empty object": {},
};

/** Those of them that a form or a query can carry. */
export const texts = Object.entries(values).flatMap(([kind, value]) =>
  typeof value === "string" ? [[kind, value] as const] : [],
);

/** Collects what is wrong with answers, so that one run tells of all of it. */
export function createJudge(server: () => TestServer) {
  const problems = new Map<string, string>();
  const blame = (route: Route, problem: string, what: string) => {
    const key = `${route.method} ${route.path}: ${problem}`;
    if (!problems.has(key)) problems.set(key, what);
  };

  return {
    /** Sends it to the route and judges the answer, which it returns. */
    async send(
      route: Route,
      what: string,
      init: RequestInit,
      options: { query?: string; mayShow?: boolean } = {},
    ) {
      const path = route.path.replace(/:\w+/g, MARKER);
      const response = await fetch(server().url + path + (options.query ?? ""), {
        method: route.method,
        redirect: "manual",
        ...init,
      });
      const text = await response.text();
      const { status } = response;
      if (status >= 500) blame(route, `answers ${status}`, what);
      if (!route.documented.includes(status))
        blame(route, `answers ${status}, which it does not document`, what);
      // A success may answer with the profile that was just made or found.
      const succeeded = response.ok && response.headers.get("content-type")?.includes("json");
      const shown = options.mayShow ? text.includes(`<script>${MARKER}`) : text.includes(MARKER);
      if (shown && !succeeded) blame(route, "shows what was sent", what);
      if (JSON.stringify([...response.headers]).includes(MARKER))
        blame(route, "sends it back in a header", what);
      // A stack, a path of the machine, a query or a library's own words.
      if (
        /\bat \S+ \(|node_modules|\/src\/|TypeError|PostgresError|Failed query|Expected .* to be/.test(text)
      ) {
        blame(route, "tells of its inside", what);
      }
      return text;
    },
    /** What was found so far, each problem of a route once, with the first request that showed it. */
    findings: () => [...problems].map(([problem, what]) => `${problem} (first: ${what})`),
  };
}
