/**
 * What the tests of conformance share: one folder a specification, one `it` a rule. Applications are `openid-client`, unmodified;
 * raw HTTP is for what it would never send.
 *
 * A docstring that names `oidcc-…`, or `FAPI2SPFinal…`, names the module of the OpenID Foundation's conformance suite that the
 * test follows: an OIDC module by its test name, one of FAPI 2.0 by its class. The folders `openid-…-op` and
 * `fapi2-security-profile` are the suite's plans; where another folder has a module's rule already, its name stands there.
 * It is our reading of these modules, not a run of the suite, and no certification is claimed.
 */
import * as client from "openid-client";
import { createAccount } from "../../src/domain/accounts/registration.ts";
import { createClient, type NewClient } from "../../src/domain/clients/service.ts";
import { clients } from "../../src/db/schema/index.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { issuerOf, type Tenant } from "../../src/domain/tenants/service.ts";
import type { User } from "../../src/domain/users/service.ts";
import { and, eq } from "drizzle-orm";
import { createHttpBrowser, type HttpBrowser, type Visit } from "../support/browser.ts";
import { beginLogin, discover, type PendingLogin, type Registered } from "../support/relying-party.ts";
import type { TestServer } from "../support/server.ts";

/** Nothing listens there: the browser stops before it, and the test looks at what it would have brought. */
export const REDIRECT_URI = "https://app.example.com/callback";

export const PASSWORD = "C0rrect-Horse!";

export async function addUser(
  server: TestServer,
  username: string,
  tenant: Tenant = server.tenant,
): Promise<User> {
  const account = {
    username,
    email: `${username}@example.com`,
    password: PASSWORD,
    givenName: "Ada",
    familyName: "Lovelace",
    emailVerified: true,
    roles: [],
  };
  return createAccount(server.deps, tenant, account, systemContext);
}

/** An application that is registered and has done discovery, and the browser of a person who uses it. */
export interface Application {
  readonly config: client.Configuration;
  readonly registered: Registered;
  begin(parameters?: Record<string, string>): Promise<PendingLogin>;
}

type Metadata = Partial<NewClient> & {
  tokenEndpointAuthMethod?: string;
  idTokenSignedResponseAlg?: string;
  /** What else its record says, as the database has it. */
  row?: Partial<typeof clients.$inferInsert>;
};

export async function registerApplication(
  server: TestServer,
  metadata: Metadata = {},
  tenant: Tenant = server.tenant,
): Promise<Application> {
  const { tokenEndpointAuthMethod, idTokenSignedResponseAlg, row, ...input } = metadata;
  const created = await createClient(
    server.deps,
    tenant.id,
    {
      name: "Conformance",
      redirectUris: [REDIRECT_URI],
      grantTypes: [],
      public: false,
      firstParty: true,
      ...input,
    },
    { actor: { type: "system" }, context: systemContext },
  );
  const changes = {
    ...(tokenEndpointAuthMethod ? { tokenEndpointAuthMethod } : {}),
    ...(idTokenSignedResponseAlg ? { idTokenSignedResponseAlg } : {}),
    ...row,
  };
  if (Object.keys(changes).length > 0)
    await server.deps.db
      .update(clients)
      .set(changes)
      .where(and(eq(clients.tenantId, tenant.id), eq(clients.id, created.client.id)));
  const registered = { ...created, client: { ...created.client, ...changes } };
  const config = await discover(issuerOf(tenant, server.url), registered);
  return {
    config,
    registered,
    begin: (parameters) => beginLogin(config, REDIRECT_URI, parameters),
  };
}

/** Fills in the sign-in page that the browser is at. */
export function fillSignIn(
  browser: HttpBrowser,
  page: Visit,
  identifier: string,
  password = PASSWORD,
): Promise<Visit> {
  return browser.submit(page, page.url.pathname, { identifier, password });
}

/** A browser in which the user has signed in already. */
export async function signedInBrowser(server: TestServer, user: User): Promise<HttpBrowser> {
  const browser = createHttpBrowser(server.url);
  await fillSignIn(browser, await browser.open("/signin"), user.username);
  return browser;
}

export interface Login {
  readonly tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>;
  readonly answer: URL;
  readonly pending: PendingLogin;
}

/** The whole flow: the request, the sign-in page where one is shown, the answer and the exchange of its code. */
export async function logIn(
  app: Application,
  browser: HttpBrowser,
  user: User,
  parameters: Record<string, string> = {},
): Promise<Login> {
  const pending = await app.begin(parameters);
  let visit = await browser.open(pending.url);
  if (visit.url.pathname.endsWith("/signin")) visit = await fillSignIn(browser, visit, user.username);
  const tokens = await client.authorizationCodeGrant(app.config, visit.url, pending.checks);
  return { tokens, answer: visit.url, pending };
}

/** The parameters of the answer that the browser was sent to the application with. */
export function answerOf(visit: Visit): Record<string, string> {
  if (visit.status !== 0)
    throw new Error(
      `the browser is still at ${visit.url.pathname} (${visit.status}), not at the application`,
    );
  return Object.fromEntries(visit.url.searchParams);
}

/** The `error` of a token endpoint's or an authorization endpoint's refusal; fails when nothing was refused. */
export async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError)
      return error.error;
    throw error;
  }
  throw new Error("nothing was refused");
}

export function userinfoStatus(server: TestServer, accessToken: string, base = ""): Promise<number> {
  return fetch(`${server.url}${base}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${accessToken}` },
  }).then(({ status }) => status);
}
