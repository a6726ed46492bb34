import { BlockList, isIP } from "node:net";

/**
 * Finds the address a request comes from. `X-Forwarded-For` is believed only from a proxy that is configured as
 * trusted, and read from the right: the first address that is not itself a trusted proxy is the client. Whatever
 * stands left of it the client may have written itself.
 * @param trustedProxies addresses or CIDR ranges
 */
export function clientIpReader(trustedProxies: readonly string[]) {
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = "", prefix] = entry.split("/", 2);
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

  return function clientIp(peer: string | undefined, forwardedFor: string | null): string | undefined {
    let client = peer && unmapped(peer);
    if (!forwardedFor || !client || !isTrusted(client)) return client;
    for (const hop of forwardedFor.split(",").toReversed()) {
      const address = unmapped(hop.trim());
      if (isIP(address) === 0) return client;
      client = address;
      if (!isTrusted(address)) return client;
    }
    return client;
  };
}

/** `::ffff:192.0.2.1` is an IPv4 client on a socket that listens for both. */
function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
