import { createTransport } from "nodemailer";
import { PermanentJobError } from "../queue/job-error.ts";
import type { MailDriver, MailMessage } from "./driver.ts";

/** Well under the worker's own deadline for stopping, so that a silent server does not hold it up for long. */
const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;

/** @param url `smtp://user:password@host:port` or `smtps://…`; STARTTLS is used where the server offers it. */
export function createSmtpDriver(url: string): MailDriver {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 5,
    // The job is tried again as a whole, with backoff.
    maxRequeues: 0,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // Text and HTML are all that our messages hold.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(message) {
      try {
        await transport.sendMail({
          messageId: messageIdOf(message),
          from: message.from,
          to: { name: "", address: message.to },
          subject: message.subject,
          text: message.text,
          html: message.html,
          // RFC 3834 §5: no vacation notices in return.
          headers: { "Auto-Submitted": "auto-generated" },
        });
      } catch (error) {
        throw describeFailure(error);
      }
    },
    close: () => transport.close(),
  };
}

/** The same for every attempt at a job, so that a mail that was sent twice is recognised (RFC 5322 §3.6.4). */
function messageIdOf({ jobId, from }: Pick<MailMessage, "jobId" | "from">): string {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? "localhost";
  return `<${jobId}@${domain}>`;
}

/**
 * 4yz passes, 5yz does not (RFC 5321 §4.2.1), but only where the answer is about this message. A server that refuses
 * our connection or our password with a 5yz refuses all mail, until somebody mends it: that is worth trying again.
 */
function describeFailure(error: unknown): Error {
  if (!(error instanceof Error)) return new Error("SMTP: unknown error");
  const { code, command, responseCode, response } = error as Error & {
    code?: string;
    command?: string;
    responseCode?: number;
    response?: string;
  };
  const text = `SMTP ${command ?? code ?? "error"}: ${response ?? error.message}`;
  const aboutMessage = code === "EENVELOPE" || code === "EMESSAGE";
  const transient = responseCode !== undefined && responseCode < 500;
  return aboutMessage && !transient ? new PermanentJobError(text) : new Error(text);
}
