export type ApplicationType = "web" | "native";

/** What response parameters are called: in a registered query they would mix with ours in the client's eyes. */
const RESPONSE_PARAMETERS = ["code", "state", "iss", "error", "error_description", "error_uri", "response"];

/** RFC 3986 §2: the characters a URI is written with. Keeps CR, LF, spaces and raw Unicode out of a Location. */
const URI_CHARACTERS = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/**
 * The IP literals of RFC 8252 §7.3, and `localhost`. That name may resolve elsewhere (§8.3), which is for whoever registers
 * it to bear: another port adds nothing to it, and many native clients, those of MCP among them, register it without one.
 */
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::(\d{1,5}))?($|[/?].*$)/;

/**
 * Whether the redirect_uri of a request is one that the client registered: compared character by character
 * (RFC 9700 §2.1, §4.1.3; OAuth 2.1 §2.3.1), never normalised or matched by pattern. A native client's registered
 * loopback URI takes any port, for the app listens on whichever is free (RFC 8252 §7.3).
 */
export function isRegisteredRedirectUri(
  requested: string,
  client: { readonly redirectUris: readonly string[]; readonly applicationType: ApplicationType },
): boolean {
  if (client.redirectUris.includes(requested)) return true;
  return (
    client.applicationType === "native" &&
    client.redirectUris.some((registered) => differsInLoopbackPortOnly(requested, registered))
  );
}

function differsInLoopbackPortOnly(requested: string, registered: string): boolean {
  const [, host, port, rest] = LOOPBACK.exec(requested) ?? [];
  const [, registeredHost, , registeredRest] = LOOPBACK.exec(registered) ?? [];
  const portInRange = port === undefined || (Number(port) > 0 && Number(port) <= 65535);
  return host !== undefined && host === registeredHost && rest === registeredRest && portInRange;
}

/**
 * Whether a client may register this redirect_uri; the answer is what is wrong with it, or undefined.
 * Web clients: https, or http to the own machine while developing (OpenID Connect Registration §2). Native clients:
 * a claimed https URI, a loopback URI, or a private-use scheme in reverse domain notation (RFC 8252 §7.1-7.3,
 * §8.4), whose dot keeps out javascript:, data:, file: and every other scheme that a browser acts upon.
 */
export function redirectUriProblem(uri: string, applicationType: ApplicationType): string | undefined {
  if (!URI_CHARACTERS.test(uri)) return "must be an absolute URI of ASCII characters (RFC 3986)";
  if (uri.includes("#")) return "must not contain a fragment (RFC 6749 §3.1.2)";
  const url = URL.parse(uri);
  if (!url) return "must be an absolute URI (RFC 6749 §3.1.2)";
  if (authorityOf(uri).includes("@")) return "must not contain a user name or password";
  if (RESPONSE_PARAMETERS.some((name) => url.searchParams.has(name)))
    return "must not contain a parameter that authorization responses use, such as code or state";
  return schemeProblem(uri, url, applicationType);
}

function schemeProblem(uri: string, url: URL, applicationType: ApplicationType): string | undefined {
  if (url.protocol === "https:") return authorityOf(uri) === "" ? "must name a host" : undefined;
  if (url.protocol === "http:") {
    if (authorityOf(uri) === "") return "must name a host";
    const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
    return local ? undefined : "must use https unless its host is localhost, 127.0.0.1 or [::1]";
  }
  if (applicationType === "web") return "must use https";
  return /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(url.protocol)
    ? undefined
    : "must use https, a loopback address or a private-use scheme that contains a dot (RFC 8252 §7.1)";
}

/** As written, not as a URL parser repairs it: `https:/host` and `https:///host` name no host. */
function authorityOf(uri: string): string {
  return /^[^:]+:\/\/([^/?#]*)/.exec(uri)?.[1] ?? "";
}
