import { AppError } from "../lib/errors.ts";

interface Route {
  readonly method: string;
  readonly path: string;
}

/**
 * A refusal of the method, for the endpoints of OAuth and OpenID Connect: RFC 9126 §2.3 asks for 405, and RFC 9110
 * §15.5.6 for the methods that there are. On other surfaces a method that is not served is a path that is not there.
 * @param routes read once, when the first request needs them: they are registered by then
 * @returns undefined for a path that no method is served at
 */
export function methodRefusal(routes: () => readonly Route[]): (path: string) => AppError | undefined {
  let allowed: ReadonlyMap<string, readonly string[]> | undefined;
  return (path) => {
    allowed ??= methodsOfPaths(routes());
    const methods = allowed.get(path);
    if (!methods) return undefined;
    const headers = { allow: methods.join(", ") };
    return new AppError(405, "method_not_allowed", "This method is not served here.", { headers });
  };
}

function methodsOfPaths(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { method, path } of routes) {
    if (!/^\/(?:oauth|\.well-known)\//.test(path)) continue;
    const methods = method === "GET" ? ["GET", "HEAD"] : [method];
    found.set(path, [...(found.get(path) ?? []), ...methods]);
  }
  return found;
}
