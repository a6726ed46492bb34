import { afterEach, beforeEach, describe, expect, it } from "bun:test";
import { createMailDriver, type MailDriver, type MailMessage } from "../../src/mail/driver.ts";
import { PermanentJobError } from "../../src/queue/job-error.ts";

const message: MailMessage = {
  jobId: "outbox-out_01ABC",
  from: "Example <no-reply@id.example>",
  to: "ada@example.com",
  subject: "Confirm\r\nyour address",
  text: "the text",
  html: "<p>the text</p>",
};

interface Received {
  path: string;
  headers: Headers;
  body: unknown;
}

let received: Received[];
let answers: Response[];
let server: Bun.Server<undefined>;
let driver: MailDriver;

beforeEach(() => {
  received = [];
  answers = [];
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const path = new URL(request.url).pathname;
      received.push({ path, headers: request.headers, body: await request.json() });
      return answers.shift() ?? Response.json({ id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794" });
    },
  });
  const baseUrl = `http://127.0.0.1:${server.port}`;
  driver = createMailDriver({ driver: "resend", from: message.from, apiKey: "re_test", baseUrl });
});
afterEach(() => server.stop(true));

const refusal = (statusCode: number, name: string) =>
  Response.json({ statusCode, name, message: "refused" }, { status: statusCode });

async function failureOf(sending: Promise<void>): Promise<unknown> {
  return sending.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("mail by Resend", () => {
  it("sends the message with the job's id as idempotency key", async () => {
    await driver.send(message);
    expect(received).toHaveLength(1);
    const [{ path, headers, body } = { path: "", headers: new Headers(), body: undefined }] = received;
    expect(path).toBe("/emails");
    expect(headers.get("authorization")).toBe("Bearer re_test");
    expect(headers.get("idempotency-key")).toBe("outbox-out_01ABC");
    expect(body).toMatchObject({
      from: message.from,
      to: "ada@example.com",
      subject: "Confirm your address",
      text: message.text,
      html: message.html,
    });
  });

  it.each([
    [429, "rate_limit_exceeded"],
    [500, "internal_server_error"],
    [503, "application_error"],
    [401, "missing_api_key"],
    [403, "invalid_api_key"],
    [409, "concurrent_idempotent_requests"],
  ])("may try again after %d %s", async (status, name) => {
    answers.push(refusal(status, name));
    const failure = await failureOf(driver.send(message));
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentJobError);
    await driver.send(message);
    expect(received.map(({ headers }) => headers.get("idempotency-key"))).toEqual([
      message.jobId,
      message.jobId,
    ]);
  });

  it.each([
    [422, "validation_error"],
    [403, "validation_error"],
    [409, "invalid_idempotent_request"],
  ])("gives up after %d %s", async (status, name) => {
    answers.push(refusal(status, name));
    expect(await failureOf(driver.send(message))).toBeInstanceOf(PermanentJobError);
  });

  it("may try again when Resend cannot be reached", async () => {
    await server.stop(true);
    const failure = await failureOf(driver.send(message));
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentJobError);
  });
});
