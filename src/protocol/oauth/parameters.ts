import { OAuthError } from "../../lib/errors.ts";

/**
 * The parameters of one OAuth request, each at most once. A parameter without a value counts as omitted
 * (RFC 6749 §3.1, §3.2), so `get` never answers an empty string.
 */
export interface RequestParameters {
  get(name: string): string | undefined;
  /** Every value of a parameter that its specification lets repeat, such as `resource` (RFC 8707 §2). */
  getAll(name: string): readonly string[];
  /** Names that came more than once though they may not. `refuseRepeated` makes them an error. */
  readonly repeated: ReadonlySet<string>;
}

/** Parameters that a specification lets repeat: `resource` (RFC 8707 §2) and `audience` (RFC 8693 §2.1). */
const REPEATABLE: ReadonlySet<string> = new Set(["resource", "audience"]);

/**
 * Reads without refusing, for the authorization endpoint, which must first know where its errors may go.
 * A repeated parameter has no value: two readers that each take another one of them is how parameter pollution works.
 */
export function readParameters(search: URLSearchParams): RequestParameters {
  const values = new Map<string, string[]>();
  for (const [name, value] of search) {
    const earlier = values.get(name);
    if (earlier) earlier.push(value);
    else values.set(name, [value]);
  }
  const repeated = new Set<string>();
  for (const [name, all] of values) if (all.length > 1 && !REPEATABLE.has(name)) repeated.add(name);
  return {
    repeated,
    get: (name) => {
      const all = values.get(name);
      return all?.length === 1 && all[0] !== "" ? all[0] : undefined;
    },
    getAll: (name) => (repeated.has(name) ? [] : (values.get(name) ?? []).filter((value) => value !== "")),
  };
}

/**
 * Request parameters must not be included more than once (RFC 6749 §3.1, §3.2).
 * @throws OAuthError invalid_request
 */
export function refuseRepeated(parameters: RequestParameters): void {
  if (parameters.repeated.size > 0)
    throw new OAuthError("invalid_request", "A parameter was sent more than once.");
}

/**
 * Reads the parameters of any endpoint that answers its client directly (token, revocation, introspection …).
 * @throws OAuthError invalid_request when one is repeated
 */
export function singleValued(search: URLSearchParams): RequestParameters {
  const parameters = readParameters(search);
  refuseRepeated(parameters);
  return parameters;
}

/**
 * @param name a parameter's name: it is printed, so it is never what a caller sent
 * @throws OAuthError invalid_request when it is missing
 */
export function requireParameter(parameters: RequestParameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw new OAuthError("invalid_request", `The parameter ${name} is missing.`);
  return value;
}
