/** How values of the environment are read. */
import { isIP } from "node:net";

/** What stands between commas, without blanks. */
export function list(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
}

/** `https://host:port`, exactly as browsers write it. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** The origin of an http(s) URL that is nothing else, a trailing slash and the case apart. */
export function parseOrigin(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url && /^https?:$/.test(url.protocol) && text.replace(/\/$/, "").toLowerCase() === url.origin;
  return isPlain ? url.origin : undefined;
}

/** An address, or a range of them in CIDR notation. */
export function isAddressRange(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  return rest.length === 0 && longest > 0 && length <= longest;
}
