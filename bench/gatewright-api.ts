/**
 * Gatewright's API process with the configuration of production, but for two things: it limits no rates, since all load comes
 * from one address, and its issuer is the address that it listens on, so that the load needs no TLS.
 */
import { loadConfig } from "../src/config.ts";
import { startServer } from "../src/server.ts";

const config = loadConfig();
const server = await startServer({
  ...config,
  rateLimiting: false,
  publicUrl: `http://${config.host}:${config.port}`,
});
process.on("SIGTERM", () => void server.stop().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ url: server.url, pid: process.pid, requests: {} })}\n`);
