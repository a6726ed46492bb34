/** The cases that are requests, and the bare thing that each cannot be quicker than. */
import type { Contender } from "./contender.ts";
import type { Traffic } from "./generator.ts";

export interface RequestCase {
  readonly name: string;
  readonly title: string;
  readonly traffic: Traffic;
  /** `route`, or one of those in `limits.ts`. */
  readonly limit: string;
}

const single = (name: string, title: string, limit: string): RequestCase => ({
  name,
  title,
  traffic: { call: name },
  limit,
});

export const requestCases: readonly RequestCase[] = [
  single("token-es256", "client credentials, ES256 JWT", "ES256 signature"),
  single("token-rs256", "client credentials, RS256 JWT", "RS256 signature"),
  single("token-opaque", "client credentials, opaque", "durable INSERT"),
  single("introspect-jwt", "introspection, JWT", "prepared SELECT"),
  single("introspect-opaque", "introspection, opaque", "prepared SELECT"),
  single("userinfo", "UserInfo", "prepared SELECT"),
  { name: "refresh", title: "refresh, rotating", traffic: "refresh", limit: "durable INSERT" },
  { name: "code", title: "code flow, signed in", traffic: "code", limit: "durable INSERT" },
  // Few at once: those that wait for their hash when a round ends would be worked on in the next.
  {
    name: "login",
    title: "password sign-in",
    traffic: { call: "login", connections: 4 },
    limit: "argon2id",
  },
  single("session", "session check", "prepared SELECT"),
  single("discovery", "discovery", "route"),
  single("jwks", "JWKS", "route"),
];

/** Whether a contender has what a case asks for. */
export function takesPart({ calls, code, refresh }: Contender, { traffic }: RequestCase): boolean {
  if (traffic === "code") return code !== undefined;
  if (traffic === "refresh") return refresh !== undefined;
  return traffic.call in calls;
}
