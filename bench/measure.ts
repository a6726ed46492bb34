/** Measures several things in turn, A B A B, so that whatever the machine does meanwhile meets them alike. */
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { drive, type Load, type Traffic } from "./generator.ts";
import { cpuMsOf, residentMbOf, watchSteal } from "./machine.ts";

/** What one case says of one contender, or of a limit of the machine. */
export interface Measurement {
  readonly name: string;
  /** Of a median round. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Milliseconds of processor time of the server for one request, over all rounds. */
  readonly cpuMs: number | undefined;
  /** Of its database. */
  readonly databaseCpuMs: number | undefined;
  /** The most that was resident, in MB. */
  readonly residentMb: number | undefined;
  /** The share of the processors that the host gave to others, in the worst round. */
  readonly steal: number;
}

/** Something that is measured round by round. */
export interface Subject {
  readonly name: string;
  run(seconds: number): Promise<Load>;
  readonly cpuMs?: () => number | undefined;
  readonly databaseCpuMs?: (() => number | undefined) | undefined;
  readonly residentMb?: () => number | undefined;
}

export interface Rounds {
  readonly seconds: number;
  readonly rounds: number;
  /** Told of everything that is repeated. */
  readonly say: (line: string) => void;
  /** What is done when all are warm, before the first round. */
  readonly settle?: () => Promise<void>;
}

/** More than this of the processors given away by the host makes a round worthless. */
const HEAVY_STEAL = 0.05;
const ATTEMPTS = 3;
const WARM_UP_SECONDS = 1;

interface Round extends Load {
  readonly cpuMs: number | undefined;
  readonly databaseCpuMs: number | undefined;
  readonly residentMb: number | undefined;
  readonly steal: number;
}

export const contenderSubject = (contender: Contender, traffic: Traffic): Subject => ({
  name: contender.name,
  run: (seconds) => drive(contender, traffic, seconds),
  cpuMs: () => cpuMsOf(contender.pids),
  databaseCpuMs: contender.databaseCpuMs,
  residentMb: () => residentMbOf(contender.pids),
});

/** One bare thing, repeated by a process of its own, which tells its own processor time. */
export function limitSubject(
  name: string,
  databaseUrl: string,
  databaseCpuMs: () => number | undefined,
): Subject {
  let usedMs = 0;
  return {
    name,
    async run(seconds) {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, "limits.ts"), name, String(seconds)], {
        env: { ...process.env, DATABASE_URL: databaseUrl },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
      });
      const load: Load & { cpuMs: number } = JSON.parse(await new Response(child.stdout).text());
      usedMs += load.cpuMs;
      // What its connections used is counted when the server has seen that they are gone.
      await Bun.sleep(500);
      return load;
    },
    cpuMs: () => usedMs,
    databaseCpuMs: name.includes("SELECT") || name.includes("INSERT") ? databaseCpuMs : undefined,
  };
}

/** @throws Error when an answer was not what it had to be */
export async function measure(subjects: readonly Subject[], options: Rounds): Promise<Measurement[]> {
  const taken = new Map<Subject, Round[]>(subjects.map((subject) => [subject, []]));
  for (const subject of subjects) await subject.run(WARM_UP_SECONDS);
  await options.settle?.();
  for (let round = 0; round < options.rounds; round++) {
    for (const [subject, rounds] of taken) rounds.push(await takeRound(subject, options));
  }
  return [...taken].map(([{ name }, rounds]) => summarize(name, rounds));
}

async function takeRound(subject: Subject, { seconds, say }: Rounds): Promise<Round> {
  for (let attempt = 1; ; attempt++) {
    const steal = watchSteal();
    const before = { cpu: subject.cpuMs?.(), database: subject.databaseCpuMs?.() };
    const load = await subject.run(seconds);
    if (load.failed > 0)
      throw new Error(`${subject.name}: ${load.failed} of ${load.requests} answers were wrong`);
    const round = {
      ...load,
      cpuMs: difference(subject.cpuMs?.(), before.cpu),
      databaseCpuMs: difference(subject.databaseCpuMs?.(), before.database),
      residentMb: subject.residentMb?.(),
      steal: steal(),
    };
    if (round.steal <= HEAVY_STEAL || attempt === ATTEMPTS) return round;
    say(`${subject.name}: ${(round.steal * 100).toFixed(0)} % of the processors were taken away; once more`);
  }
}

const difference = (after: number | undefined, before: number | undefined) =>
  after === undefined || before === undefined ? undefined : after - before;

function summarize(name: string, rounds: readonly Round[]): Measurement {
  const requests = rounds.reduce((sum, round) => sum + round.requests, 0);
  const middle = rounds.toSorted((a, b) => rate(a) - rate(b))[Math.floor(rounds.length / 2)];
  if (!middle) throw new Error(`${name} was not measured`);
  const perRequest = (total: (round: Round) => number | undefined) => {
    const values = rounds.flatMap((round) => total(round) ?? []);
    return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / requests : undefined;
  };
  const resident = rounds.flatMap(({ residentMb }) => residentMb ?? []);
  return {
    name,
    perSecond: rate(middle),
    p50Ms: middle.p50Ms,
    p99Ms: middle.p99Ms,
    cpuMs: perRequest(({ cpuMs }) => cpuMs),
    databaseCpuMs: perRequest(({ databaseCpuMs }) => databaseCpuMs),
    residentMb: resident.length > 0 ? Math.max(...resident) : undefined,
    steal: Math.max(...rounds.map(({ steal }) => steal)),
  };
}

const rate = ({ requests, seconds }: Load) => requests / seconds;
