/** What the benches of the administrators' surface share: an API process of their own, and how they sign in to it. */
import { join } from "node:path";
import { freePort } from "../test/support/free-port.ts";

export const say = (line: string) => process.stdout.write(`${line}\n`);
const cli = join(import.meta.dir, "../src/cli.ts");
export const [part = "lists", only = ""] = process.argv.slice(2);
const port = freePort();
export const base = `http://localhost:${port}`;

const env = {
  ...process.env,
  PORT: String(port),
  HOST: "localhost",
  PUBLIC_URL: base,
  RATE_LIMITING: "off",
  LOG_LEVEL: "error",
};
export const start = (command: "api" | "worker") =>
  Bun.spawn([process.execPath, cli, command], { env, stdout: "ignore", stderr: "inherit" });

export const percentile = (times: readonly number[], share: number) =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
export const ms = (time: number) => `${time.toFixed(1)} ms`.padStart(10);

export async function ready(): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (
      await fetch(`${base}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await Bun.sleep(100);
  }
  throw new Error("the API process does not get ready");
}

export const signIn = () =>
  fetch(`${base}/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      identifier: process.env["GATEWRIGHT_ADMIN_EMAIL"],
      password: process.env["GATEWRIGHT_ADMIN_PASSWORD"],
    }),
  });

export async function newToken(): Promise<string> {
  const { access_token: token } = (await (await signIn()).json()) as { access_token?: string };
  if (!token) throw new Error("the administrator cannot sign in: is this the seeded installation?");
  return token;
}
