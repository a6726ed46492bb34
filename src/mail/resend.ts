import { type ErrorResponse, Resend } from "resend";
import { PermanentJobError } from "../queue/job-error.ts";
import type { MailDriver } from "./driver.ts";

const TIMEOUT_MS = 20_000;

/** Refusals that are about our account rather than about the message: mended there, not here. */
const ACCOUNT_ERRORS = new Set<string>([
  "missing_api_key",
  "invalid_api_key",
  "restricted_api_key",
  "daily_quota_exceeded",
  "monthly_quota_exceeded",
  "rate_limit_exceeded",
  "concurrent_idempotent_requests",
]);

/** @param config `baseUrl` undefined is Resend's own. */
export function createResendDriver(config: { apiKey: string; baseUrl: string | undefined }): MailDriver {
  const resend = new Resend(config.apiKey, config.baseUrl ? { baseUrl: config.baseUrl } : {});
  return {
    async send({ jobId, from, to, subject, text, html }) {
      const { error } = await resend.emails.send(
        { from, to, subject, text, html, headers: { "Auto-Submitted": "auto-generated" } },
        // Resend sends one message a key for 24 hours, however often it is asked.
        { idempotencyKey: jobId, signal: AbortSignal.timeout(TIMEOUT_MS) },
      );
      if (error) throw describeFailure(error);
    },
    close() {},
  };
}

/** Too many requests and errors of the server pass; what is wrong with the request stays wrong. */
function describeFailure({ statusCode, name, message }: ErrorResponse): Error {
  const text = `Resend ${statusCode ?? "unreachable"} ${name}: ${message}`;
  const permanent =
    statusCode !== null &&
    statusCode >= 400 &&
    statusCode < 500 &&
    statusCode !== 429 &&
    !ACCOUNT_ERRORS.has(name);
  return permanent ? new PermanentJobError(text) : new Error(text);
}
