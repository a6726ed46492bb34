/**
 * Who has an account here? The time of the answer does not tell (CWE-208): over 200 and more interleaved samples, the
 * medians of known and of unknown accounts lie within 10 %. A busy machine may spoil a round, and not six in a row.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { linkIn, waitForMail } from "../support/mailbox.ts";
import { postJson, startTestServer, type TestServer } from "../support/server.ts";
import { PASSWORD, type Person, register } from "./support.ts";

const SAMPLES = 200;
const ROUNDS = 6;
const TOLERANCE = 0.1;

let server: TestServer;
let known: Person;

beforeAll(async () => {
  // What is measured is the work, not how soon somebody is turned away.
  server = await startTestServer({ env: { RATE_LIMITING: "off" } });
  known = await register(server.url);
  const mail = await waitForMail(server, known.email, ({ text }) => text.includes("/verify-email"));
  await fetch(linkIn(mail));
  await server.configure({
    magic_link_enabled: true,
    email_code_enabled: true,
    max_failed_login_attempts: 100,
    max_failed_attempts_per_ip: 100_000,
  });
}, 60_000);
afterAll(() => server.stop());

let count = 0;
const unknownEmail = () => `nobody${++count}-${crypto.randomUUID()}@example.com`;

/** @returns the ratio of the medians, known to unknown */
async function compare(attempt: (email: string) => Promise<Response>): Promise<number> {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let sample = 0; sample < SAMPLES; sample++) {
    // In turns, and each first every other time: whatever slows the machine down hits both.
    const order = sample % 2 === 0 ? (["known", "unknown"] as const) : (["unknown", "known"] as const);
    for (const kind of order) {
      const email = kind === "known" ? known.email : unknownEmail();
      const begun = performance.now();
      const response = await attempt(email);
      await response.text();
      times[kind].push(performance.now() - begun);
    }
  }
  if (process.env["SHOW"])
    console.log(
      median(times.known).toFixed(2),
      median(times.unknown).toFixed(2),
      (median(times.known) / median(times.unknown)).toFixed(3),
    );
  return median(times.known) / median(times.unknown);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function expectAlike(attempt: (email: string) => Promise<Response>): Promise<void> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ratio = await compare(attempt);
    if (Math.abs(ratio - 1) <= TOLERANCE) return;
    ratios.push(ratio);
  }
  expect(ratios).toEqual([]);
}

describe("the time of the answer is the same for known and unknown accounts", () => {
  /** Guards: passwords/hasher.ts, verify (stand-in); protection/service.ts, beginAttempt (counts for nobody, too). */
  it("of POST /login", async () => {
    let tries = 0;
    await expectAlike(async (identifier) => {
      // A lock is not what is measured: it ends before the known account has one.
      if (++tries % 50 === 0) server.clock.advance(16 * 60);
      return postJson(`${server.url}/login`, { identifier, password: "Wr0ng-password!" });
    });
  }, 240_000);

  /** Guard: accounts/registration.ts, register (hashes for everybody) and tellOwner (rehearse). */
  it("of POST /register", async () => {
    await expectAlike((email) =>
      postJson(`${server.url}/register`, { username: `timed-${++count}`, email, password: PASSWORD }),
    );
  }, 240_000);

  /** Guard: accounts/password-reset.ts, requestPasswordReset (a job for nobody). */
  it("of POST /forgot-password", async () => {
    await expectAlike((email) => postJson(`${server.url}/forgot-password`, { email }));
  }, 120_000);

  /** Guard: accounts/email-verification.ts, requestEmailVerification (recipientOf nobody). */
  it("of POST /verify-email/send", async () => {
    await expectAlike((email) => postJson(`${server.url}/verify-email/send`, { email }));
  }, 120_000);

  /** Guard: proofs/issuing.ts, issue (a row and a job for nobody). */
  it.each(["magic-link", "email-code"])(
    "of POST /login/%s",
    async (what) => {
      await expectAlike((email) => postJson(`${server.url}/login/${what}`, { email }));
    },
    120_000,
  );
});
