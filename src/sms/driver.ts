/** How text messages leave. (The `mailbox` driver sends nothing; its messages stay in the database.) */
import type { SmsConfig } from "../lib/sms-config.ts";
import { createTwilioDriver } from "./twilio.ts";

export interface SmsMessage {
  /** The message's identity: whoever is given the same message twice can tell by it. */
  jobId: string;
  /** E.164. */
  to: string;
  text: string;
}

export interface SmsDriver {
  /** @throws PermanentJobError when the message can never be delivered; any other error may pass. */
  send(message: SmsMessage): Promise<void>;
}

/** @returns undefined where messages stay in the mailbox, or none are sent */
export function createSmsDriver(config: SmsConfig): SmsDriver | undefined {
  return config.driver === "twilio" ? createTwilioDriver(config) : undefined;
}
