import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** What the operator lets requests reach although it is no public address. */
export interface PrivateAllowance {
  readonly hosts: ReadonlySet<string>;
  readonly ranges: readonly AddressRange[];
}

type AddressRange = ReturnType<typeof ipaddr.parseCIDR>;

/** A host name of the allow-list: labels of letters, digits and hyphens. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Whether an entry of the allow-list is an address, a CIDR range or a host name. */
export function isAllowance(entry: string): boolean {
  return rangeOf(entry) !== undefined || (HOST_NAME.test(entry) && /[a-z]/.test(entry));
}

/** @param entries addresses, CIDR ranges or host names, each of which `isAllowance` */
export function parseAllowance(entries: readonly string[]): PrivateAllowance {
  const ranges = entries.flatMap((entry) => rangeOf(entry) ?? []);
  const hosts = new Set(entries.filter((entry) => rangeOf(entry) === undefined));
  return { hosts, ranges: ranges.map(({ range }) => range) };
}

function rangeOf(entry: string): { readonly range: AddressRange } | undefined {
  const [address = "", bits] = entry.split("/", 2);
  const version = isIP(address);
  if (version === 0) return undefined;
  const text = bits === undefined ? `${address}/${version === 4 ? 32 : 128}` : entry;
  return ipaddr.isValidCIDR(text) ? { range: ipaddr.parseCIDR(text) } : undefined;
}

/** Whether the operator let this address be reached, whatever it is. */
export function isAllowed(address: string, { ranges }: PrivateAllowance): boolean {
  const parsed = ipaddr.parse(address);
  return ranges.some((range) => range[0].kind() === parsed.kind() && parsed.match(range));
}

/** IPv6 unicast addresses are given out from here alone (IANA IPv6 address space); all else is special or unused. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/** Public by its number, but it leads into the machine's own cloud: the host agent of Azure. */
const CLOUD_INTERNAL = new Set(["168.63.129.16"]);

/**
 * Whether an address is one of the public internet. False for every block of the IANA special-purpose registries
 * (RFC 6890): private, loopback, link-local (with the metadata services of clouds), shared (RFC 6598), multicast,
 * unspecified, reserved, documentation; and for every IPv6 form that carries an IPv4 address (mapped, compatible,
 * NAT64, 6to4, Teredo), whatever that address is: such a form is how a filter for IPv4 is passed by.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes("%")) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast" || CLOUD_INTERNAL.has(address)) return false;
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_UNICAST);
}
