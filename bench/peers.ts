/** The servers that Gatewright is measured against: installed on first use, then run beside it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Announcement, Contender } from "./contender.ts";
import type { BenchDatabase } from "./database.ts";
import { processorHas } from "./machine.ts";
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
  {
    database,
    environment,
  }: { database?: { server: BenchDatabase; url: string }; environment?: Record<string, string> } = {},
): Promise<Contender> {
  const env = { NODE_ENV: "production", ...environment, ...(database ? { DATABASE_URL: database.url } : {}) };
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

/** Tells OpenSSL to do without AVX-512 IFMA, bit 21 of EBX of CPUID leaf 7 (openssl-env(7), OPENSSL_ia32cap). */
const WITHOUT_IFMA = { OPENSSL_ia32cap: ":~0x200000" };

/**
 * Node.js is what oidc-provider is made for; it runs on Bun too. With AVX-512 IFMA, OpenSSL signs RS256 in a quarter to half
 * of the time that it takes otherwise, and so only on some processors: where this is one, the others are shown as well.
 */
const oidcProvider = (): Start[] => {
  const node = Bun.which("node");
  if (!node) return [onBun];
  const command = [node, script("oidc-provider.js")] as const;
  return [
    () => start("oidc-provider", command),
    ...(processorHas("avx512ifma")
      ? [
          async () =>
            withOnly(
              await start("oidc-provider without IFMA", command, { environment: WITHOUT_IFMA }),
              (call) => call === "token-rs256",
            ),
        ]
      : []),
    onBun,
  ];
};

const onBun = () => start("oidc-provider on Bun", [process.execPath, script("oidc-provider.js")]);

const betterAuth =
  (alg: "ES256" | "RS256"): Start =>
  async (server) => {
    const url = await server.create(`better_auth_${alg.toLowerCase()}`);
    return start("better-auth", [process.execPath, script("better-auth.js"), alg], {
      database: { server, url },
    });
  };

/** The same contender for fewer cases: single calls that are meant, and no flows. */
function withOnly(contender: Contender, isMeant: (call: string) => boolean): Contender {
  const { name, url, pids, calls, databaseCpuMs, renew, stop } = contender;
  return {
    name,
    url,
    pids,
    calls: Object.fromEntries(Object.entries(calls).filter(([call]) => isMeant(call))),
    ...(databaseCpuMs ? { databaseCpuMs } : {}),
    ...(renew ? { renew: async () => withOnly(await renew(), isMeant) } : {}),
    stop,
  };
}

/** What can be started, each for the cases it has. better-auth signs by one algorithm, so it runs twice. */
export const peers: readonly Start[] = [
  ...oidcProvider(),
  betterAuth("ES256"),
  async (server) => withOnly(await betterAuth("RS256")(server), (call) => call === "token-rs256"),
];
