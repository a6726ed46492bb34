/** How mail leaves: SMTP or Resend. (The `mailbox` driver sends nothing; its messages stay in the database.) */
import type { MailConfig } from "../config.ts";
import { PermanentJobError } from "../queue/job-error.ts";
import { createResendDriver } from "./resend.ts";
import { createSmtpDriver } from "./smtp.ts";

export interface MailMessage {
  /** The message's identity: whoever is given the same message twice can tell by it. */
  jobId: string;
  from: string;
  /** One address, without a display name. */
  to: string;
  subject: string;
  text: string;
  html: string;
}

export interface MailDriver {
  /** @throws PermanentJobError when the message can never be delivered; any other error may pass. */
  send(message: MailMessage): Promise<void>;
  /** Closes idle connections; messages on their way are finished. */
  close(): void;
}

export type OutgoingMailConfig = Exclude<MailConfig, { driver: "mailbox" }>;

export function createMailDriver(config: OutgoingMailConfig): MailDriver {
  const driver = config.driver === "smtp" ? createSmtpDriver(config.url) : createResendDriver(config);
  return {
    async send(message) {
      if (!isPlainAddress(message.to)) throw new PermanentJobError("the recipient is not an email address");
      await driver.send({ ...message, subject: oneLine(message.subject) });
    },
    close: () => driver.close(),
  };
}

/**
 * Narrower than RFC 5322 on purpose: nothing that ends a header or a command, begins another address or comments.
 * Registration takes no such addresses; this holds for whatever else has written the database.
 */
function isPlainAddress(address: string): boolean {
  return /^[^\s\p{Cc}<>()[\],:;"\\@]{1,64}@[^\s\p{Cc}<>()[\],:;"\\@]{1,255}$/u.test(address);
}

/** A line break in a subject would begin another header (RFC 5322 §2.2). */
function oneLine(subject: string): string {
  return subject.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
