import { describe, expect, it } from "bun:test";
import { clientIpReader } from "../../src/http/client-ip.ts";

describe("without trusted proxies", () => {
  const clientIp = clientIpReader([]);

  it("the client is who the connection comes from, whatever the header says", () => {
    expect(clientIp("203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
    expect(clientIp("127.0.0.1", "198.51.100.1")).toBe("127.0.0.1");
    expect(clientIp("2001:db8::9", "198.51.100.1")).toBe("2001:db8::9");
  });

  it("an unknown peer stays unknown", () => {
    expect(clientIp(undefined, "198.51.100.1")).toBeUndefined();
    expect(clientIp(undefined, null)).toBeUndefined();
  });
});

describe("behind a trusted proxy", () => {
  const clientIp = clientIpReader(["127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48", "::1"]);

  it.each([
    ["one proxy", "127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["a chain of trusted ones", "127.0.0.1", "198.51.100.1, 10.1.2.3, 10.255.0.1", "198.51.100.1"],
    [
      "what the client wrote itself stands further left",
      "127.0.0.1",
      "192.0.2.66, 198.51.100.1",
      "198.51.100.1",
    ],
    ["a trusted address that the client made up", "127.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"],
    ["all of them trusted: the outermost", "127.0.0.1", "10.1.2.3, 10.1.2.4", "10.1.2.3"],
    ["no spaces", "10.0.0.1", "192.0.2.66,198.51.100.1,10.0.0.2", "198.51.100.1"],
    ["an IPv6 client", "::1", "2001:db8::5", "2001:db8::5"],
    ["an IPv6 proxy of a range", "2001:db8:ffff:1::2", "198.51.100.1", "198.51.100.1"],
    ["an IPv6 address beside that range", "2001:db8:fffe:1::2", "198.51.100.1", "2001:db8:fffe:1::2"],
    ["a proxy on a socket for both families", "::ffff:10.0.0.7", "198.51.100.1", "198.51.100.1"],
    ["the same in capitals", "::FFFF:10.0.0.7", "::FFFF:198.51.100.1", "198.51.100.1"],
    ["a mapped client that is no proxy", "::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["mapped addresses in the header", "127.0.0.1", "198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1"],
    ["no header", "127.0.0.1", null, "127.0.0.1"],
    ["an empty header", "127.0.0.1", "", "127.0.0.1"],
    ["an untrusted peer", "203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["the next network", "11.0.0.1", "198.51.100.1", "11.0.0.1"],
  ])("%s: from %p with %p it is %p", (_name, peer, forwardedFor, expected) => {
    expect(clientIp(peer, forwardedFor)).toBe(expected);
  });

  it.each([
    "unknown",
    "_hidden",
    "198.51.100.1:4711",
    "[2001:db8::1]",
    "198.51.100.999",
    "198.51.100",
    "0x7f.1",
    "fe80::1%eth0<script>",
    "'; drop table users; --",
    "\r\nx-injected: 1",
  ])("%p in the header is not taken for an address", (garbage) => {
    expect(clientIp("127.0.0.1", garbage)).toBe("127.0.0.1");
    expect(clientIp("127.0.0.1", `198.51.100.1, ${garbage}`)).toBe("127.0.0.1");
    expect(clientIp("127.0.0.1", `${garbage}, 198.51.100.1`)).toBe("198.51.100.1");
  });

  it("a very long header is read no further than it must be", () => {
    const header = `${"198.51.100.2,".repeat(20_000)} 198.51.100.1`;
    expect(clientIp("127.0.0.1", header)).toBe("198.51.100.1");
  });
});
