/** The servers that Gatewright is measured against: installed on first use, then run beside it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Announcement, Contender } from "./contender.ts";
import type { BenchDatabase } from "./database.ts";
import { startServerProcess } from "./processes.ts";

/** @throws Error with what the package manager said */
export async function installPeers(): Promise<void> {
  const lock = await Bun.file(join(import.meta.dir, "bun.lock")).text();
  const mark = Bun.file(join(import.meta.dir, "node_modules", ".gatewright-installed"));
  if ((await mark.exists()) && (await mark.text()) === lock) return;
  const install = Bun.spawn([process.execPath, "install", "--frozen-lockfile"], {
    cwd: import.meta.dir,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([
    new Response(install.stdout).text(),
    new Response(install.stderr).text(),
  ]);
  if ((await install.exited) !== 0 || !existsSync(join(import.meta.dir, "node_modules")))
    throw new Error(`the peers could not be installed: ${out}${errors}`);
  await Bun.write(mark, lock);
}

type Start = (database: BenchDatabase) => Promise<Contender>;

const script = (name: string) => join(import.meta.dir, "peers", name);

async function start(
  name: string,
  command: readonly [string, ...string[]],
  database?: { server: BenchDatabase; url: string },
): Promise<Contender> {
  const env = { NODE_ENV: "production", ...(database ? { DATABASE_URL: database.url } : {}) };
  const { announcement, announceAgain, stop } = await startServerProcess(command, env);
  const contender = ({ url, pid, requests, code, refresh }: Announcement): Contender => ({
    name,
    url,
    pids: [pid],
    calls: requests,
    ...(code ? { code } : {}),
    ...(refresh ? { refresh } : {}),
    ...(database
      ? { databaseCpuMs: database.server.cpuMs }
      : { renew: async () => contender(await announceAgain()) }),
    stop,
  });
  return contender(announcement);
}

/** Node.js is what oidc-provider is made for; it runs on Bun too. */
const oidcProvider = (): Start[] => {
  const node = Bun.which("node");
  return [
    ...(node ? [() => start("oidc-provider", [node, script("oidc-provider.js")])] : []),
    () => start("oidc-provider on Bun", [process.execPath, script("oidc-provider.js")]),
  ];
};

const betterAuth =
  (alg: "ES256" | "RS256", only: (call: string) => boolean): Start =>
  async (server) => {
    const url = await server.create(`better_auth_${alg.toLowerCase()}`);
    const peer = await start("better-auth", [process.execPath, script("better-auth.js"), alg], {
      server,
      url,
    });
    const calls = Object.fromEntries(Object.entries(peer.calls).filter(([name]) => only(name)));
    return alg === "ES256"
      ? { ...peer, calls }
      : {
          name: peer.name,
          url: peer.url,
          pids: peer.pids,
          calls,
          databaseCpuMs: server.cpuMs,
          stop: peer.stop,
        };
  };

/** What can be started, each for the cases it has. better-auth signs by one algorithm, so it runs twice. */
export const peers: readonly Start[] = [
  ...oidcProvider(),
  betterAuth("ES256", () => true),
  betterAuth("RS256", (call) => call === "token-rs256"),
];
