import { afterEach, beforeEach, describe, expect, it } from "bun:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { createMailDriver, type MailDriver, type MailMessage } from "../../src/mail/driver.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";

interface Received {
  to: string[];
  raw: string;
}

let server: SMTPServer;
let driver: MailDriver;
let received: Received[];

const message: MailMessage = {
  jobId: "outbox-out_01ABC",
  from: "Example <no-reply@id.example>",
  to: "ada@example.com",
  subject: "Confirm your address",
  text: "the text",
  html: "<p>the text</p>",
};

async function listen(options: SMTPServerOptions = {}): Promise<void> {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        received.push({ to, raw: Buffer.concat(chunks).toString() });
        done();
      });
    },
    ...options,
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const listening = server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = listening.address();
  const port = typeof address === "object" && address ? address.port : 0;
  driver = createMailDriver({ driver: "smtp", from: message.from, url: `smtp://127.0.0.1:${port}` });
}

function answer(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

/** What `send` throws; undefined when it succeeds. */
async function failureOf(sending: Promise<void>): Promise<unknown> {
  return sending.then(
    () => undefined,
    (error: unknown) => error,
  );
}

beforeEach(() => {
  received = [];
});
afterEach(async () => {
  driver.close();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(resolve);
  await promise;
});

describe("mail by SMTP", () => {
  it("sends both forms of the message under a Message-ID made of the job's id", async () => {
    await listen();
    await driver.send(message);
    await driver.send(message);
    expect(received).toHaveLength(2);
    for (const { to, raw } of received) {
      expect(to).toEqual(["ada@example.com"]);
      expect(raw).toContain("Message-ID: <outbox-out_01ABC@id.example>");
      expect(raw).toContain("Subject: Confirm your address");
      expect(raw).toContain("From: Example <no-reply@id.example>");
      expect(raw).toContain("Auto-Submitted: auto-generated");
      expect(raw).toContain("text/plain");
      expect(raw).toContain("text/html");
    }
  });

  it("may try again after 4yz (RFC 5321 §4.2.1), and then succeeds", async () => {
    let refusals = 1;
    await listen({
      onRcptTo(_address, _session, done) {
        done(refusals-- > 0 ? answer(451, "Greylisted, come back later") : null);
      },
    });
    const failure = await failureOf(driver.send(message));
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentJobError);
    expect(failure).toMatchObject({ message: expect.stringContaining("451") });
    await driver.send(message);
    expect(received).toHaveLength(1);
  });

  it.each(["onMailFrom", "onRcptTo"] as const)("gives up when the server answers 5yz to %s", async (step) => {
    await listen({
      [step]: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
        done(answer(550, "No such user")),
    });
    expect(await failureOf(driver.send(message))).toBeInstanceOf(PermanentJobError);
  });

  it("gives up when the server refuses the content", async () => {
    await listen({
      onData(stream, _session, done) {
        stream.resume();
        stream.on("end", () => done(answer(554, "Looks like spam")));
      },
    });
    expect(await failureOf(driver.send(message))).toBeInstanceOf(PermanentJobError);
  });

  it("tries again when the server refuses us rather than the message", async () => {
    await listen({ onConnect: (_session, done) => done(answer(554, "Go away")) });
    const failure = await failureOf(driver.send(message));
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentJobError);
  });

  it("tries again when nobody listens", async () => {
    await listen();
    driver.close();
    driver = createMailDriver({ driver: "smtp", from: message.from, url: "smtp://127.0.0.1:1" });
    const failure = await failureOf(driver.send(message));
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentJobError);
  });
});

describe("header injection", () => {
  it.each([
    "ada@example.com\r\nBcc: eve@example.com",
    "ada@example.com\nRCPT TO:<eve@example.com>",
    "ada@example.com, eve@example.com",
    "ada@example.com;eve@example.com",
    "<eve@example.com>",
    "Ada <eve@example.com>",
    "ada@example.com> SIZE=1",
    "ada(comment)@example.com",
    '"ada eve"@example.com',
    "ada@@example.com",
    "ada",
    "",
  ])("is refused in the recipient %j", async (to) => {
    await listen();
    expect(await failureOf(driver.send({ ...message, to }))).toBeInstanceOf(PermanentJobError);
    expect(received).toBeEmpty();
  });

  it.each(["\r\n", "\n", "\r", "\u2028", "\0"])("adds no header by %j in the subject", async (lineBreak) => {
    await listen();
    await driver.send({ ...message, subject: `Hello${lineBreak}Bcc: eve@example.com` });
    const [{ to, raw } = { to: [], raw: "" }] = received;
    expect(to).toEqual(["ada@example.com"]);
    expect(raw).toContain("Subject: Hello Bcc: eve@example.com");
    expect(raw).not.toMatch(/^Bcc:/m);
  });
});
