import { isIP } from "node:net";

/**
 * Whom an address stands for when requests are counted: an IPv4 address for itself, an IPv6 address for its /64, the
 * smallest network that one customer is given and has 2^64 addresses of. IPv4-mapped IPv6 (`::ffff:192.0.2.1`, in
 * whatever notation) is that IPv4 address. What is no address stands for itself.
 */
export function networkOf(address: string): string {
  const [bare = ""] = address.split("%", 1);
  if (isIP(bare) !== 6) return address;
  const groups = groupsOf(bare);
  const [, , , , , mapped, high = 0, low = 0] = groups;
  if (mapped === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const hexOnly = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_dotted, a: string, b: string, c: string, d: string) =>
      `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`,
  );
  const [left = "", right] = hexOnly.split("::", 2);
  const parse = (part: string) => (part ? part.split(":").map((group) => Number.parseInt(group, 16)) : []);
  const [before, after] = [parse(left), parse(right ?? "")];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}
