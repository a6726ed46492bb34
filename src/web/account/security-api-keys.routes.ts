/** A person's own API keys, on the security page. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { apiKeyScopes } from "../../domain/api-keys/scopes.ts";
import {
  type ApiKey,
  createApiKey,
  isLive,
  listApiKeys,
  offeredScopes,
  revokeApiKey,
} from "../../domain/api-keys/service.ts";
import { defaultDays } from "../../http/api-key-models.ts";
import { AppError, type FieldError } from "../../lib/errors.ts";
import { type FormFields, linkTo, type PageRequest, pageScope, respondWithPage, shellOf } from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { type ApiKeyView, renderApiKeyShown, renderNewApiKey } from "../pages/api-keys.tsx";
import { backToSecurity, openPage, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";

const NEW_PATH = `${SECURITY_PATH}/api-keys/new`;
export const REVOKE_KEY_PATH = `${SECURITY_PATH}/api-keys/revoke`;

export const securityApiKeyRoutes = (deps: Deps) =>
  new Elysia({ name: "web-security-api-keys" })
    .use(pageScope(deps))
    .get(NEW_PATH, ({ page }) => openPage(deps, page, (visit) => showNew(deps, page, visit), NEW_PATH), {
      response: pageResponses,
      detail: pageDetail("Page that makes an API key"),
    })
    .post(
      NEW_PATH,
      ({ page, body }) =>
        takeForm(deps, page, body, (visit, field) => make(deps, page, visit, field), NEW_PATH),
      { ...pageForm, response: pageResponses, detail: formDetail("Make an API key, which is shown once") },
    )
    .post(
      REVOKE_KEY_PATH,
      ({ page, body }) =>
        takeForm(deps, page, body, async ({ session }, field) => {
          const owner = ownerOf(page, session);
          const by = { actor: { type: "user", id: session.user.id } as const, context: page.context };
          await revokeApiKey(deps, owner, field("key_id"), by);
          return backToSecurity(page, { notice: "api_key_revoked" });
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Revoke one of the person's API keys") },
    );

const ownerOf = (page: PageRequest, { user }: SecurityVisit["session"]) => ({
  tenantId: page.tenant.id,
  userId: user.id,
  roles: user.roles,
});

/** The live ones of a person, as the security page shows them. */
export async function apiKeyViews(
  deps: Deps,
  page: PageRequest,
  session: SecurityVisit["session"],
): Promise<ApiKeyView[]> {
  const keys = await listApiKeys(deps, ownerOf(page, session));
  return keys.filter((key) => isLive(key, deps.clock.now())).map(apiKeyView);
}

function apiKeyView({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: ApiKey): ApiKeyView {
  return {
    id,
    name,
    scopes,
    createdAt,
    expiresAt: expiresAt ?? undefined,
    lastUsedAt: lastUsedAt ?? undefined,
  };
}

/** Where the form to make a key is. */
export const newApiKeyUrl = (page: PageRequest) => linkTo(page, NEW_PATH);

interface Filled {
  readonly values: { readonly name: string; readonly days: string };
  readonly chosen: readonly string[];
  readonly fieldErrors: readonly FieldError[];
}

function showNew(deps: Deps, page: PageRequest, visit: SecurityVisit, filled?: Filled): Response {
  const offered = offeredScopes(visit.session.user);
  const days = String(defaultDays(page.tenant.settings.api_key_max_days));
  const html = renderNewApiKey(shellOf(page), {
    form: visit.form(NEW_PATH),
    scopes: offered.map((name) => ({
      name,
      opens: apiKeyScopes[name],
      checked: filled ? filled.chosen.includes(name) : offered.length === 1,
    })),
    values: filled?.values ?? { name: "", days },
    fieldErrors: filled?.fieldErrors ?? [],
    backUrl: linkTo(page, SECURITY_PATH),
  });
  return respondWithPage(deps, page, html, { status: filled ? 400 : 200 });
}

async function make(
  deps: Deps,
  page: PageRequest,
  visit: SecurityVisit,
  field: FormFields,
): Promise<Response> {
  const { session } = visit;
  const values = { name: field("name").slice(0, 256), days: field("expires_in_days").trim().slice(0, 8) };
  const chosen = offeredScopes(session.user).filter((name) => field(`scope_${name}`) === "true");
  try {
    const made = await createApiKey(
      deps,
      page.tenant,
      ownerOf(page, session),
      { name: values.name, scopes: chosen, expiresInDays: Number(values.days) },
      { actor: { type: "user", id: session.user.id }, context: page.context },
    );
    const shown = { token: made.token, nextUrl: linkTo(page, SECURITY_PATH) };
    return respondWithPage(deps, page, renderApiKeyShown(shellOf(page), shown));
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 422) throw error;
    return showNew(deps, page, visit, { values, chosen, fieldErrors: error.details ?? [] });
  }
}
