/**
 * Sends load: wrk where it is present, else autocannon. Both are told the same, so that everything measured in one run was
 * driven by one generator.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Call, type Contender, refreshTokenOf } from "./contender.ts";

/** What is sent: one call over and over, or one of the flows. */
export type Traffic =
  | { readonly call: string; /** At once; 32 where it says nothing. */ readonly connections?: number }
  | "code"
  | "refresh";

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers with an error status or without what was to be in them, and connections that broke. */
  readonly failed: number;
}

/** Connections of a single call; of a flow, where each connection keeps a state and wrk wants a thread for it. */
const CONNECTIONS = 32;
export const FLOW_CONNECTIONS = 16;

export const generatorName = () => (Bun.which("wrk") ? "wrk" : "autocannon");

/** How many requests one turn of the traffic takes. */
export const requestsPerTurn = (traffic: Traffic) => (traffic === "code" ? 2 : 1);

/** @throws Error when the contender has no such call or flow */
export async function drive(contender: Contender, traffic: Traffic, seconds: number): Promise<Load> {
  const connections = typeof traffic === "string" ? FLOW_CONNECTIONS : (traffic.connections ?? CONNECTIONS);
  const plan = await planOf(contender, traffic, connections);
  const directory = mkdtempSync(join(tmpdir(), "gatewright-bench-"));
  try {
    const output = Bun.which("wrk")
      ? await runWrk(directory, plan, { url: contender.url, connections, seconds })
      : await runAutocannon(directory, plan, { url: contender.url, connections, seconds });
    const result = /^RESULT (.+)$/m.exec(output)?.[1];
    if (!result) throw new Error(`the generator said: ${output}`);
    const load: Load = JSON.parse(result);
    return { ...load, requests: load.requests / requestsPerTurn(traffic) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The script's name, and what it is told. */
interface Plan {
  readonly script: "call" | "calls" | "refresh" | "code";
  readonly data: Readonly<Record<string, Call | readonly Call[] | readonly string[]>>;
}

async function planOf(contender: Contender, traffic: Traffic, connections: number): Promise<Plan> {
  const { name, code, refresh, calls } = contender;
  if (traffic === "code") {
    if (!code) throw new Error(`${name} has no code flow`);
    return { script: "code", data: { ...code } };
  }
  if (traffic === "refresh") {
    if (!refresh) throw new Error(`${name} refreshes nothing`);
    const tokens: string[] = [];
    for (let index = 0; index < connections; index++)
      tokens.push(await refreshTokenOf(contender, contender.otherSignIns?.[index]));
    return { script: "refresh", data: { call: refresh, tokens } };
  }
  const spread = contender.spread?.[traffic.call];
  if (spread) return { script: "calls", data: { calls: spread } };
  const call = calls[traffic.call];
  if (!call) throw new Error(`${name} has no ${traffic.call}`);
  return { script: "call", data: { call } };
}

interface Target {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

async function runWrk(directory: string, { script, data }: Plan, target: Target): Promise<string> {
  const parts = await Promise.all(
    [`${script}.lua`, "result.lua"].map((name) => Bun.file(join(import.meta.dir, "wrk", name)).text()),
  );
  const scriptFile = join(directory, "script.lua");
  const dataFile = join(directory, "data.lua");
  writeFileSync(scriptFile, parts.join("\n"));
  writeFileSync(
    dataFile,
    Object.entries(data)
      .map(([name, value]) => `${name} = ${lua(value)}\n`)
      .join(""),
  );
  const threads = script.startsWith("call") ? 1 : target.connections;
  const options = [`-t${threads}`, `-c${target.connections}`, `-d${target.seconds}s`, "--timeout", "10s"];
  return output(["wrk", ...options, "--latency", "-s", scriptFile, target.url, "--", dataFile]);
}

/** It is told by a file: the calls of a thousand tenants are more than a command line takes. */
function runAutocannon(directory: string, plan: Plan, target: Target): Promise<string> {
  const file = join(directory, "plan.json");
  writeFileSync(file, JSON.stringify({ ...plan, ...target }));
  return output([process.execPath, join(import.meta.dir, "peers", "autocannon.js"), file]);
}

async function output(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", stdin: "ignore" });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return out + errors;
}

/** A value as Lua writes it. JSON's escapes are Lua's, for the printable ASCII that requests are made of. */
function lua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(lua).join(", ")}}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .map(([name, entry]) => `[${JSON.stringify(name)}] = ${lua(entry)}`)
    .join(", ")}}`;
}
