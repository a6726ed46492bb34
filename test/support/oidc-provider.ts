/** `oidc-provider`, the OpenID provider that others certify theirs against, with its own pages for sign-in and consent. */
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { freePort } from "./free-port.ts";

export interface RealProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  stop(): Promise<void>;
}

/** Whoever signs in there as `name` has the address `name@real.example`, which is verified. */
export async function startOidcProvider(redirectUri: string): Promise<RealProvider> {
  const port = freePort();
  const issuer = `http://localhost:${port}`;
  const client = { client_id: "gatewright", client_secret: "a-secret-of-theirs-and-ours" };
  const provider = new Provider(issuer, {
    clients: [{ ...client, redirect_uris: [redirectUri], grant_types: ["authorization_code"] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "given_name"] },
    cookies: { keys: ["a key of the test"] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@real.example`, email_verified: true, given_name: sub }),
    }),
    pkce: { required: () => true },
  });
  const server = createServer(provider.callback());
  const listening = Promise.withResolvers<void>();
  server.listen(port, "localhost", listening.resolve);
  await listening.promise;
  return {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    stop() {
      const closed = Promise.withResolvers<void>();
      server.closeAllConnections();
      server.close(() => closed.resolve());
      return closed.promise;
    },
  };
}
