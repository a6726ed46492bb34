/** What a person is known by elsewhere, on the security page. Adding to it: `web/federation/connect.routes.ts`. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { listSignInConnections } from "../../domain/connections/service.ts";
import {
  type ExternalAccount,
  listExternalAccounts,
  unlinkExternalAccount,
} from "../../domain/external-accounts/service.ts";
import { AppError } from "../../lib/errors.ts";
import type { ExternalAccountListProps, ExternalAccountView } from "../components/external-accounts.tsx";
import { type PageRequest, pageScope } from "../http.ts";
import { formDetail, pageForm, pageResponses } from "../models.ts";
import { backToSecurity, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";

const CONNECT_PATH = "/account/external-accounts/connect";
const DISCONNECT_PATH = "/account/external-accounts/disconnect";

export const securityExternalAccountRoutes = (deps: Deps) =>
  new Elysia({ name: "web-security-external-accounts" })
    .use(pageScope(deps))
    .post(
      DISCONNECT_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          ({ session }, field) => disconnect(deps, page, session, field("account_id")),
          SECURITY_PATH,
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Disconnect an account elsewhere") },
    );

async function disconnect(
  deps: Deps,
  page: PageRequest,
  { user }: SecurityVisit["session"],
  id: string,
): Promise<Response> {
  try {
    await unlinkExternalAccount(deps, page.tenant, user, id, page.context);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "last_sign_in_method") return backToSecurity(page, { problem: "last_sign_in_method" });
    // It is gone since the page was shown: what the person wanted is so.
    if (error.status !== 404) throw error;
  }
  return backToSecurity(page, { notice: "account_disconnected" });
}

/** What the page shows: what there is, and what could be added. Directories are not: they come with their password. */
export async function externalAccountsOf(
  deps: Deps,
  page: PageRequest,
  { session, form }: SecurityVisit,
): Promise<ExternalAccountListProps> {
  const [accounts, connections] = await Promise.all([
    listExternalAccounts(deps, session.user),
    listSignInConnections(deps, page.tenant),
  ]);
  const has = new Set(accounts.map(({ connectionId }) => connectionId));
  return {
    accounts: accounts.map(view),
    disconnect: form(DISCONNECT_PATH),
    offered: connections
      .filter(({ id, kind }) => kind !== "ldap" && !has.has(id))
      .map(({ key, name, preset }) => ({ key, name, preset })),
    connect: form(CONNECT_PATH),
  };
}

const view = (account: ExternalAccount): ExternalAccountView => ({
  id: account.id,
  connection: { name: account.connectionName, preset: account.preset },
  email: account.email ?? undefined,
  connectedAt: account.createdAt,
  lastUsedAt: account.lastSignInAt ?? undefined,
});
