/**
 * Server-side request forgery (CWE-918; RFC 9700 §4.12 and RFC 9101 §10.4.1 warn of it): a URL that a stranger supplies
 * must not make this server ask its own network. Each test names the guard in `src/outbound` without which it fails.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { gzipSync } from "node:zlib";
import { createOutbound, OutboundError } from "../../src/outbound/client.ts";
import { CERTIFICATE, plainHost, rawHost, type TestHost, tlsHost } from "../outbound/support.ts";

/** What must not be reached: it listens where a service of the own machine would. */
let inside: TestHost;
let insidePlain: TestHost;
/** A host that a stranger runs. Its address stands for one of the internet: it alone is allowed. */
let outside: TestHost;
const OUTSIDE = process.platform === "darwin" ? "::1" : "127.0.0.2";
const INSIDE = "127.0.0.1";

beforeAll(async () => {
  inside = await tlsHost((_request, response) => response.end("secret"), INSIDE);
  insidePlain = await plainHost((_request, response) => response.end("secret"), INSIDE);
  outside = await tlsHost((request, response) => {
    const to = new URL(request.url ?? "/", "https://x").searchParams.get("to");
    if (to) response.writeHead(302, { location: to }).end();
    else response.end("harmless");
  }, OUTSIDE);
});
afterAll(async () => {
  await Promise.all([inside.stop(), insidePlain.stop(), outside.stop()]);
});

const reasonOf = (request: Promise<unknown>) =>
  request.then(
    () => "answered",
    (error: unknown) => (error instanceof OutboundError ? error.reason : error),
  );
const answering = (...addresses: string[]) =>
  createOutbound({ ca: CERTIFICATE, resolve: async () => addresses });

describe("a private address", () => {
  it("is not asked by its number (guard: isPublicAddress of resolveTarget)", async () => {
    for (const host of [
      "127.0.0.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[::7f00:1]",
      "[64:ff9b::7f00:1]",
      "0.0.0.0",
    ])
      expect([host, await reasonOf(answering().request(`https://${host}:${inside.port}/`))]).toEqual([
        host,
        "address",
      ]);
    expect(inside.visits()).toBe(0);
  });

  it("is not asked by an unusual spelling of it (guard: the URL parser's own host is checked)", async () => {
    for (const host of [
      "2130706433",
      "0x7f000001",
      "0x7f.1",
      "0177.0.0.1",
      "127.1",
      "127.0.0.1.",
      "１２７.0.0.1",
    ])
      expect([host, await reasonOf(answering().request(`https://${host}:${inside.port}/`))]).toEqual([
        host,
        "address",
      ]);
    expect(inside.visits()).toBe(0);
  });

  it("is not asked by a name (guard: every address that the name resolves to is checked)", async () => {
    for (const address of [INSIDE, "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1%lo"])
      expect([
        address,
        await reasonOf(answering(address).request(`https://keys.example.test:${inside.port}/`)),
      ]).toEqual([address, "address"]);
    expect(await reasonOf(createOutbound().request(`https://localhost:${inside.port}/`))).toBe("address");
    expect(inside.visits()).toBe(0);
  });

  it("is not asked by a name that has public addresses as well (guard: one address refuses all)", async () => {
    const outbound = createOutbound({
      ca: CERTIFICATE,
      allowPrivate: [OUTSIDE],
      resolve: async () => [OUTSIDE, INSIDE],
    });
    expect(await reasonOf(outbound.request(`https://keys.example.test:${inside.port}/`))).toBe("address");
    expect(inside.visits()).toBe(0);
  });

  it("is not asked after DNS rebinding (guard: the connection goes to the checked address, not to the name)", async () => {
    const answers = [[OUTSIDE], [INSIDE], [INSIDE]];
    const outbound = createOutbound({
      ca: CERTIFICATE,
      allowPrivate: [OUTSIDE],
      resolve: async () => answers.shift() ?? [],
    });
    const response = await outbound.request(`https://keys.example.test:${outside.port}/`);
    expect(new TextDecoder().decode(response.body)).toBe("harmless");
    expect(answers).toHaveLength(2);
    expect(await reasonOf(outbound.request(`https://keys.example.test:${inside.port}/`))).toBe("address");
    expect(inside.visits()).toBe(0);
  });

  it("is not asked through a redirect (guard: every hop is resolved and checked anew)", async () => {
    const outbound = createOutbound({
      ca: CERTIFICATE,
      allowPrivate: [OUTSIDE],
      resolve: async () => [OUTSIDE],
    });
    const via = (to: string) =>
      outbound.request(`https://keys.example.test:${outside.port}/?to=${encodeURIComponent(to)}`, {
        redirects: 3,
      });
    expect(await reasonOf(via(`https://${INSIDE}:${inside.port}/`))).toBe("address");
    expect(await reasonOf(via(`http://${INSIDE}:${insidePlain.port}/`))).toBe("address");
    expect(await reasonOf(via(`https://user@keys.example.test:${outside.port}/`))).toBe("url");
    expect(await reasonOf(via("file:///etc/passwd"))).toBe("url");
    expect([inside.visits(), insidePlain.visits()]).toEqual([0, 0]);
  });
});

describe("a URL", () => {
  it("has no user part, which is taken for the host by whoever reads it (guard: checkedUrl)", async () => {
    const outbound = createOutbound({
      ca: CERTIFICATE,
      allowPrivate: [OUTSIDE],
      resolve: async () => [OUTSIDE],
    });
    for (const userinfo of ["keys.example.test", "user:password", ":password"])
      expect(
        await reasonOf(outbound.request(`https://${userinfo}@other.example.test:${outside.port}/`)),
      ).toBe("url");
  });

  it("is of no other scheme (guard: checkedUrl, checkPublicUse)", async () => {
    const outbound = answering("8.8.8.8");
    for (const url of [
      "http://a.example/",
      "ftp://a.example/",
      "file:///etc/passwd",
      "gopher://a.example/",
      "a",
      "",
    ])
      expect([url, await reasonOf(outbound.request(url))]).toEqual([url, "url"]);
  });

  it("does not make us knock at other services' ports (guard: checkPublicUse)", async () => {
    for (const port of [22, 25, 53, 80, 465])
      expect(await reasonOf(answering("8.8.8.8").request(`https://a.example:${port}/`))).toBe("url");
  });
});

describe("an answer", () => {
  const from = ({ port }: TestHost, options = {}) =>
    createOutbound({ allowPrivate: [INSIDE], allowPlain: true }).request(`http://${INSIDE}:${port}/`, {
      maxBytes: 1000,
      timeoutMs: 300,
      ...options,
    });

  it("that is too long is not read to its end (guard: boundedBody)", async () => {
    const endless = await rawHost((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const chunk = `400\r\n${"a".repeat(1024)}\r\n`;
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    expect(await reasonOf(from(endless, { timeoutMs: 10_000 }))).toBe("too_large");
    await endless.stop();
  });

  it("that comes drop by drop ends with the time for all of it (guard: the signal of Deadline)", async () => {
    for (const start of ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", ""]) {
      const dripping = await rawHost((socket) => {
        if (start !== "") socket.write(start);
        const drip = setInterval(() => socket.write("a"), 20);
        socket.on("close", () => clearInterval(drip));
        if (start === "") clearInterval(drip);
      });
      expect([start, await reasonOf(from(dripping))]).toEqual([start, "timeout"]);
      await dripping.stop();
    }
  });

  it("that never comes, after a name that never resolves, ends as well (guard: Deadline.bound)", async () => {
    const outbound = createOutbound({ resolve: () => new Promise(() => {}) });
    expect(await reasonOf(outbound.request("https://a.example/", { timeoutMs: 50 }))).toBe("timeout");
  });

  it("that is compressed is not unpacked (guard: content-encoding of boundedBody)", async () => {
    const bomb = await plainHost((_request, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync(Buffer.alloc(300_000)));
    });
    expect(await reasonOf(from(bomb))).toBe("encoded");
    await bomb.stop();
  });

  it("with endless headers is given up (guard: maxHeaderSize)", async () => {
    const endless = await rawHost((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${`x: ${"a".repeat(1000)}\r\n`.repeat(12)}`);
      socket.write(`${`x: ${"a".repeat(1000)}\r\n`.repeat(12)}content-length: 0\r\n\r\n`);
    });
    expect(await reasonOf(from(endless))).toBe("protocol");
    await endless.stop();
  });

  it("that breaks off is not taken for whole (guard: failure of boundedBody)", async () => {
    const cut = await rawHost((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    expect(await reasonOf(from(cut))).toBe("protocol");
    const silent = await rawHost((socket) => socket.end());
    expect(await reasonOf(from(silent))).toBe("protocol");
    await Promise.all([cut.stop(), silent.stop()]);
  });
});
