import { describe, expect, it } from "bun:test";
import { isAllowance, isAllowed, isPublicAddress, parseAllowance } from "../../src/outbound/addresses.ts";

describe("public addresses (RFC 6890, IANA special-purpose registries)", () => {
  it("are those of the internet", () => {
    for (const address of ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"])
      expect([address, isPublicAddress(address)]).toEqual([address, true]);
  });

  const special = {
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    loopback: ["127.0.0.1", "127.255.255.254", "::1"],
    "link-local, with the metadata services of clouds": ["169.254.169.254", "169.254.170.2", "fe80::1"],
    "internal to a cloud": ["168.63.129.16", "100.100.100.200", "fd00:ec2::254"],
    "shared (RFC 6598)": ["100.64.0.1", "100.127.255.255"],
    unspecified: ["0.0.0.0", "0.1.2.3", "::"],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
    broadcast: ["255.255.255.255"],
    "reserved or for documentation": [
      "192.0.0.8",
      "192.0.2.1",
      "192.88.99.1",
      "198.18.0.1",
      "198.51.100.1",
      "203.0.113.1",
      "240.0.0.1",
      "2001:db8::1",
      "3fff::1",
      "100::1",
      "5f00::1",
    ],
    "unique local and site-local": ["fc00::1", "fdff::1", "fec0::1"],
    "mapped IPv4": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8"],
    "compatible IPv4": ["::127.0.0.1", "::7f00:1", "::a9fe:a9fe"],
    NAT64: ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"],
    "6to4 and Teredo": ["2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:1::1"],
    "not given out": ["4000::1", "8000::1", "c000::1"],
    "of one interface": ["fe80::1%eth0", "2606:4700::1111%eth0"],
    "no addresses at all": ["", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"],
  };
  for (const [kind, addresses] of Object.entries(special))
    it(`are not those that are ${kind}`, () => {
      for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false]);
    });
});

describe("the operator's allow-list", () => {
  it("takes addresses, ranges and names", () => {
    for (const entry of ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "localhost", "keys.intranet.example"])
      expect([entry, isAllowance(entry)]).toEqual([entry, true]);
    for (const entry of [
      "",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "http://a",
      "a b",
      "*",
      "-a",
      "a..b",
      "10.1",
    ])
      expect([entry, isAllowance(entry)]).toEqual([entry, false]);
  });

  it("lets through what is in a range, in the same family", () => {
    const allowance = parseAllowance(["10.1.0.0/16", "127.0.0.1", "fd00::/8", "localhost"]);
    expect(["10.1.2.3", "127.0.0.1", "fd12::1"].every((address) => isAllowed(address, allowance))).toBe(true);
    for (const address of ["10.2.0.1", "127.0.0.2", "::ffff:127.0.0.1", "fe80::1"])
      expect([address, isAllowed(address, allowance)]).toEqual([address, false]);
    expect([...allowance.hosts]).toEqual(["localhost"]);
  });
});
