/** Twilio's Messages resource, and any service that speaks the same. */
import { PermanentJobError } from "../queue/job-error.ts";
import type { SmsDriver } from "./driver.ts";

const TIMEOUT_MS = 20_000;

/** Refusals that are about our account rather than about the message: mended there, not here. */
const ACCOUNT_STATUSES = new Set([401, 402, 403, 408, 429]);

export function createTwilioDriver(config: {
  from: string;
  accountSid: string;
  authToken: string;
  baseUrl: string;
}): SmsDriver {
  const { from, accountSid, authToken } = config;
  const base = config.baseUrl.replace(/\/$/, "");
  const url = `${base}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;
  return {
    async send({ jobId, to, text }) {
      const response = await fetch(url, {
        method: "POST",
        // Honoured by services that know it; elsewhere a retry after a lost answer sends the same code twice.
        headers: { authorization, "idempotency-key": jobId },
        body: new URLSearchParams({ To: to, From: from, Body: text }),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (response.ok) return;
      const { status } = response;
      // Only the status: what else the service says repeats the number.
      const message = `the SMS service answered ${status}`;
      const permanent = status >= 400 && status < 500 && !ACCOUNT_STATUSES.has(status);
      throw permanent ? new PermanentJobError(message) : new Error(message);
    },
  };
}
