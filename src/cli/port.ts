import { createServer } from "node:net";
import { fail } from "./support.ts";

/**
 * Binds the address exclusively and lets go of it. The API's own sockets may share a port (`reusePort`), so that
 * without this a forgotten server would silently go on answering half of all requests.
 *
 * @param port 0 for any free one
 * @returns the port that was free
 * @throws CliError that names the port and says how to mend it
 */
export async function claimPort(host: string, port: number): Promise<number> {
  const probe = createServer();
  const bound = Promise.withResolvers<void>();
  probe.once("error", bound.reject);
  probe.listen({ host, port, exclusive: true }, bound.resolve);
  try {
    await bound.promise;
  } catch (error) {
    fail(explain(error, host, port));
  }
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address ? address.port : port;
}

function explain(error: unknown, host: string, port: number): string {
  switch (error instanceof Error && "code" in error ? error.code : "") {
    case "EADDRINUSE":
      return `port ${port} is taken on ${host}: stop the program that listens there, or choose another one (PORT=${port + 1} gatewright start)`;
    case "EACCES":
      return `port ${port} needs privileges that this user lacks: choose one above 1023 (PORT=3000 gatewright start)`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EINVAL":
      return `HOST=${host} is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for all of them`;
    default:
      return `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : "unknown reason"}`;
  }
}
