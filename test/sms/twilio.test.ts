import { afterAll, beforeEach, describe, expect, it } from "bun:test";
import { PermanentJobError } from "../../src/queue/job-error.ts";
import { createTwilioDriver } from "../../src/sms/twilio.ts";
import { codeMessage } from "../../src/sms/messages.ts";

interface Received {
  path: string;
  headers: Headers;
  body: URLSearchParams;
}

let answer: () => Response;
let received: Received[];
const service = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const body = new URLSearchParams(await request.text());
    received.push({ path: new URL(request.url).pathname, headers: request.headers, body });
    return answer();
  },
});
afterAll(() => service.stop(true));
beforeEach(() => {
  received = [];
  answer = () => Response.json({ sid: "SM1" }, { status: 201 });
});

const driver = createTwilioDriver({
  from: "+15005550006",
  accountSid: "AC1",
  authToken: "secret",
  baseUrl: `http://127.0.0.1:${service.port}/`,
});
const message = { jobId: "outbox-1", to: "+4930123456", text: "123456 is your code" };

describe("the Twilio driver", () => {
  it("posts the message to the account, with its credentials", async () => {
    await driver.send(message);
    const [request] = received;
    expect(request?.path).toBe("/2010-04-01/Accounts/AC1/Messages.json");
    expect(request?.headers.get("authorization")).toBe(`Basic ${btoa("AC1:secret")}`);
    expect(request?.headers.get("idempotency-key")).toBe("outbox-1");
    expect(Object.fromEntries(request?.body ?? [])).toEqual({
      To: "+4930123456",
      From: "+15005550006",
      Body: "123456 is your code",
    });
  });

  it.each([400, 404, 422])("gives up on a message that is refused with %i", async (status) => {
    answer = () => Response.json({ message: "+4930123456 is no number" }, { status });
    const failure = driver.send(message);
    await expect(failure).rejects.toBeInstanceOf(PermanentJobError);
    // The answer repeats the number, and a job's failure is kept.
    await expect(failure).rejects.toThrow(/^the SMS service answered \d+$/);
  });

  it.each([401, 403, 429, 500, 503])("tries again after a %i, which may pass", async (status) => {
    answer = () => new Response(null, { status });
    const failure = driver.send(message);
    await expect(failure).rejects.toThrow(`answered ${status}`);
    await expect(failure).rejects.not.toBeInstanceOf(PermanentJobError);
  });

  it("follows no redirect with its credentials", async () => {
    answer = () => Response.redirect(`http://127.0.0.1:${service.port}/elsewhere`, 307);
    await expect(driver.send(message)).rejects.toThrow();
    expect(received).toHaveLength(1);
  });
});

describe("a text message", () => {
  it("says the code first, in each language, and fits one message", () => {
    const content = { code: "123456", tenantName: "N".repeat(200), minutes: 10 };
    for (const locale of ["en", "de"] as const) {
      const text = codeMessage(locale, content);
      expect(text).toStartWith("123456 ");
      expect(text.length).toBeLessThanOrEqual(160);
    }
  });

  it("is one line, whatever the tenant is called", () => {
    expect(codeMessage("en", { code: "1", tenantName: "A\r\nB\u202e", minutes: 1 })).not.toMatch(
      /[\r\n\u202e]/,
    );
  });
});
