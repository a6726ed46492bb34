/** The generator where wrk is not present: does what the scripts in `wrk/` do, and prints the same line. */
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const { script, data, url, connections, seconds } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tokens = [...(data.tokens ?? [])];
let unexpected = 0;

const requestOf = ({ method, path, headers, body }) => ({ method, path, headers, ...(body ? { body } : {}) });

/** Each client of the generator has a context of its own, which lives as long as one pass through these. */
function requests() {
  if (script === "call") return [requestOf(data.call)];
  if (script === "calls") return data.calls.map(requestOf);
  if (script === "code") {
    return [
      {
        ...requestOf(data.authorize),
        onResponse(_status, _body, context, headers) {
          const location = Object.entries(headers).find(([name]) => name.toLowerCase() === "location")?.[1];
          context.code = /[?&]code=([^&]+)/.exec(location ?? "")?.[1];
          if (!context.code) unexpected++;
        },
      },
      {
        ...requestOf(data.exchange),
        setupRequest: (request, context) => ({
          ...request,
          body: request.body.replace("CODE", () => context.code ?? ""),
        }),
        onResponse(_status, body) {
          if (!body.includes('"access_token"')) unexpected++;
        },
      },
    ];
  }
  return [
    {
      ...requestOf(data.call),
      // Taken before the request and given back after it: whichever client is next goes on with it.
      setupRequest(request, context) {
        context.token = tokens.shift();
        return { ...request, body: request.body.replace("TOKEN", () => context.token) };
      },
      onResponse(_status, body, context) {
        const successor = /"refresh_token":"([^"]+)"/.exec(body)?.[1];
        if (successor && successor !== context.token) tokens.push(successor);
        else unexpected++;
      },
    },
  ];
}

const result = await autocannon({ url, connections, duration: seconds, requests: requests() });
const failed = result.errors + result.timeouts + result["4xx"] + result["5xx"] + unexpected;
const { p50, p99 } = result.latency;
process.stdout.write(
  `RESULT ${JSON.stringify({ requests: result.requests.total, seconds: result.duration, p50Ms: p50, p99Ms: p99, failed })}\n`,
);
