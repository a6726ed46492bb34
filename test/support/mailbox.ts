import type { TestServer } from "./server.ts";

export interface Mail {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  created_at: string;
}

/** Waits until the mailbox holds a mail to this address that `matches`, as a script of a developer would. */
export async function waitForMail(
  server: TestServer,
  to: string,
  matches: (mail: Mail) => boolean = () => true,
): Promise<Mail> {
  await server.startWorker();
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const mails = await readMailbox(server);
    const mail = mails.find((candidate) => candidate.to === to && matches(candidate));
    if (mail) return mail;
    await Bun.sleep(50);
  }
  throw new Error(`no such mail to ${to} arrived within 15 s`);
}

export async function readMailbox(server: TestServer): Promise<Mail[]> {
  const response = await fetch(`${server.url}/dev/mailbox`, { headers: { accept: "application/json" } });
  return (await response.json()) as Mail[];
}

/** The first link of ours in a mail's text. */
export function linkIn(mail: Mail): string {
  const link = /https?:\/\/\S+\?token=\S+/.exec(mail.text)?.[0];
  if (!link) throw new Error("the mail holds no link");
  return link;
}
