import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isAllowed, isPublicAddress, type PrivateAllowance } from "./addresses.ts";
import { OutboundError } from "./errors.ts";

/** All addresses of a host name. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** The system's resolver, so that /etc/hosts counts here as everywhere else. */
export const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

export interface TargetPolicy {
  readonly allowance: PrivateAllowance;
  /** Whether `http:` may be used to what is on the allow-list. */
  readonly allowPlain: boolean;
  readonly resolve: Resolve;
}

/** A URL with the addresses that were checked for it: connect to these, and never ask the resolver again. */
export interface Target {
  readonly url: URL;
  readonly addresses: readonly string[];
}

/** A hostile name server could list as many as it likes. */
const MAX_ADDRESSES = 4;

/**
 * Decides whether a URL may be asked, and at which addresses. The name is resolved here, once, and ALL of its addresses
 * are checked; one that is not public refuses the whole, since which of them a connection takes is chance.
 * @throws OutboundError url, unresolvable or address
 */
export async function resolveTarget(text: string, policy: TargetPolicy): Promise<Target> {
  const url = checkedUrl(text);
  const { addresses, allowed } = await resolveHost(url.hostname, policy);
  if (!allowed) checkPublicUse(url);
  else if (url.protocol === "http:" && !policy.allowPlain)
    throw new OutboundError("url", "http: is not used in production");
  return { url, addresses };
}

/**
 * The addresses of a host that may be connected to, and whether they are on the operator's allow-list.
 * @param hostname as in a URL: IPv6 in brackets
 * @throws OutboundError unresolvable or address
 */
export async function resolveHost(
  hostname: string,
  policy: TargetPolicy,
): Promise<{ readonly addresses: readonly string[]; readonly allowed: boolean }> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [host] : await resolved(host, policy.resolve);
  const isOurs = (address: string) => isAllowed(address, policy.allowance);
  const allowed = policy.allowance.hosts.has(host) || addresses.every(isOurs);
  const refused = allowed
    ? undefined
    : addresses.find((address) => !isPublicAddress(address) && !isOurs(address));
  if (refused !== undefined) throw new OutboundError("address", `${host} leads to ${refused}`);
  return { addresses: addresses.slice(0, MAX_ADDRESSES), allowed };
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new OutboundError("url", "not an https: URL");
  if (url.username !== "" || url.password !== "")
    throw new OutboundError("url", "a URL with credentials: what looks like its host is not");
  return url;
}

/**
 * Out in the internet: https, at its own port or an unprivileged one, so that nobody makes us knock at the mail, name
 * or remote-shell ports of others.
 */
function checkPublicUse(url: URL): void {
  if (url.protocol !== "https:") throw new OutboundError("url", "not an https: URL");
  const port = url.port === "" ? 443 : Number(url.port);
  if (port !== 443 && port < 1024) throw new OutboundError("url", `port ${port} is not asked`);
}

async function resolved(host: string, resolve: Resolve): Promise<readonly string[]> {
  const addresses = await resolve(host).catch((cause: unknown) => {
    throw new OutboundError("unresolvable", `${host} cannot be resolved`, { cause });
  });
  if (addresses.length === 0 || !addresses.every((address) => isIP(address) !== 0))
    throw new OutboundError("unresolvable", `${host} has no addresses`);
  return addresses;
}
