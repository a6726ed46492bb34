import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { createOutbound, OutboundError } from "../../src/outbound/client.ts";
import { CERTIFICATE, plainHost, rawHost, type TestHost, tlsHost } from "./support.ts";

const text = (body: Uint8Array) => new TextDecoder().decode(body);
let keys: TestHost;
let plain: TestHost;

beforeAll(async () => {
  keys = await tlsHost((request, response) => {
    const { method, url, headers } = request;
    if (url === "/moved") return response.writeHead(302, { location: "/here" }).end();
    if (url === "/elsewhere")
      return response.writeHead(307, { location: `https://other.example.test:${keys.port}/here` }).end();
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("x-twice", ["a", "b"]);
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
    });
  });
  plain = await plainHost((_request, response) => response.end("plain"));
});
afterAll(async () => {
  await Promise.all([keys.stop(), plain.stop()]);
});

const here = () => Promise.resolve(["127.0.0.1"]);
const trusting = { allowPrivate: ["127.0.0.1"], ca: CERTIFICATE, resolve: here };
const reasonOf = (request: Promise<unknown>) =>
  request.then(
    () => "answered",
    (error: unknown) => (error instanceof OutboundError ? error.reason : error),
  );

describe("a request", () => {
  it("goes to the resolved address, under the name: in Host, in TLS, in the certificate", async () => {
    const asked: string[] = [];
    const outbound = createOutbound({
      ...trusting,
      resolve: (host) => {
        asked.push(host);
        return here();
      },
    });
    const response = await outbound.request(`https://keys.example.test:${keys.port}/jwks?a=b#c`, {
      accept: "application/json",
    });
    expect(response.status).toBe(200);
    expect(response.headers["x-twice"]).toBe("a, b");
    expect(JSON.parse(text(response.body))).toMatchObject({
      method: "GET",
      url: "/jwks?a=b",
      headers: {
        host: `keys.example.test:${keys.port}`,
        accept: "application/json",
        "accept-encoding": "identity",
      },
    });
    expect(asked).toEqual(["keys.example.test"]);
  });

  it("posts a body", async () => {
    const response = await createOutbound(trusting).request(`https://keys.example.test:${keys.port}/hook`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"a":"ä"}',
    });
    expect(JSON.parse(text(response.body))).toMatchObject({
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "10" },
      body: '{"a":"ä"}',
    });
  });

  it("asks an address by https too, by the certificate's address", async () => {
    const response = await createOutbound(trusting).request(`https://127.0.0.1:${keys.port}/`);
    expect(response.status).toBe(200);
  });

  it("refuses a certificate of another name, and one that nobody trusts", async () => {
    const url = `https://evil.example.test:${keys.port}/`;
    expect(await reasonOf(createOutbound(trusting).request(url))).toBe("unreachable");
    const { ca: _, ...distrusting } = trusting;
    const good = `https://keys.example.test:${keys.port}/`;
    expect(await reasonOf(createOutbound(distrusting).request(good))).toBe("unreachable");
  });

  it("uses the next address when one does not answer", async () => {
    const outbound = createOutbound({
      ...trusting,
      allowPrivate: ["127.0.0.0/8"],
      resolve: () => Promise.resolve(["127.0.0.9", "127.0.0.1"]),
    });
    expect((await outbound.request(`https://keys.example.test:${keys.port}/`)).status).toBe(200);
  });

  it("is sent once, even when the connection ends without an answer", async () => {
    const silent = await rawHost((socket) => socket.on("data", () => socket.end()));
    const twice = { ...trusting, allowPlain: true, resolve: async () => ["127.0.0.1", "127.0.0.1"] };
    const request = createOutbound(twice).request(`http://a.example.test:${silent.port}/`, {
      method: "POST",
    });
    expect(await reasonOf(request)).toBe("protocol");
    expect(silent.visits()).toBe(1);
    await silent.stop();
  });

  it("says unreachable and unresolvable, for our log", async () => {
    const outbound = createOutbound(trusting);
    expect(await reasonOf(outbound.request("https://keys.example.test:1/"))).toBe("unreachable");
    const nowhere = createOutbound({ ...trusting, resolve: () => Promise.resolve([]) });
    expect(await reasonOf(nowhere.request("https://keys.example.test/"))).toBe("unresolvable");
    const failing = createOutbound({ ...trusting, resolve: () => Promise.reject(new Error("ENOTFOUND")) });
    expect(await reasonOf(failing.request("https://keys.example.test/"))).toBe("unresolvable");
  });

  it("resolves by the system unless told", async () => {
    const outbound = createOutbound({ allowPrivate: ["localhost"], ca: CERTIFICATE, allowPlain: true });
    expect(text((await outbound.request(`http://localhost:${plain.port}/`)).body)).toBe("plain");
  });
});

describe("redirects", () => {
  it("are answers, unless told", async () => {
    const response = await createOutbound(trusting).request(`https://keys.example.test:${keys.port}/moved`);
    expect([response.status, response.headers["location"]]).toEqual([302, "/here"]);
  });

  it("are followed as often as told, for GET alone", async () => {
    const outbound = createOutbound(trusting);
    const url = `https://keys.example.test:${keys.port}/moved`;
    expect((await outbound.request(url, { redirects: 1 })).status).toBe(200);
    expect((await outbound.request(url, { redirects: 1, method: "POST" })).status).toBe(302);
  });

  it("take headers along to the same origin only", async () => {
    const outbound = createOutbound(trusting);
    const headersAfter = async (path: string) => {
      const response = await outbound.request(`https://keys.example.test:${keys.port}${path}`, {
        redirects: 1,
        headers: { authorization: "Bearer secret" },
      });
      return JSON.parse(text(response.body)).headers.authorization;
    };
    expect(await headersAfter("/moved")).toBe("Bearer secret");
    expect(await headersAfter("/elsewhere")).toBeUndefined();
  });
});

describe("http:", () => {
  it("is for development, to hosts of the allow-list", async () => {
    const url = `http://keys.example.test:${plain.port}/`;
    const developing = createOutbound({ ...trusting, allowPlain: true });
    expect(text((await developing.request(url)).body)).toBe("plain");
    expect(await reasonOf(createOutbound(trusting).request(url))).toBe("url");
  });
});
