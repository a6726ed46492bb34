/** The page of one factor, of whichever kind: what it is called, and its end. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import type { TotpDevice } from "../../domain/mfa/totp/service.ts";
import type { Passkey } from "../../domain/passkeys/service.ts";
import type { RequestContext } from "../../domain/request-context.ts";
import type { Tenant } from "../../domain/tenants/service.ts";
import type { User } from "../../domain/users/service.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { AppError, notFound } from "../../lib/errors.ts";
import { linkTo, type PageRequest, pageScope, respondWithPage, shellOf } from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderManageFactor } from "../pages/security-forms.tsx";
import { backToSecurity, openPage, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";
import { factorView } from "./security.routes.ts";

/** A kind of factor that people may have several of. */
export interface ManagedFactor {
  /** The part of the path that names it. */
  readonly kind: "passkeys" | "totp";
  /** For the description of the API, with its article. */
  readonly title: string;
  list(user: User): Promise<readonly (TotpDevice | Passkey)[]>;
  /** @throws AppError 404 */
  rename(user: User, id: string, name: string, context: RequestContext): Promise<unknown>;
  /** @throws AppError 404; 409 for the last one, where the tenant demands one */
  remove(tenant: Tenant, user: User, id: string, context: RequestContext): Promise<unknown>;
}

export function managedFactorRoutes(deps: Deps, factor: ManagedFactor) {
  const { kind, title } = factor;
  const pathOf = (id: string) => `${SECURITY_PATH}/${kind}/${id}`;

  async function show(page: PageRequest, { session, form }: SecurityVisit, id: string, badName?: string) {
    const found = (await factor.list(session.user)).find((one) => one.id === id);
    if (!found) throw notFound("There is no such factor.");
    const html = renderManageFactor(shellOf(page), {
      kind,
      factor: factorView(found, ""),
      rename: form(`${pathOf(id)}/rename`),
      remove: form(`${pathOf(id)}/remove`),
      badName,
      backUrl: linkTo(page, SECURITY_PATH),
    });
    return respondWithPage(deps, page, html, { status: badName === undefined ? 200 : 400 });
  }

  return new Elysia({ name: `web-security-${kind}-manage` })
    .use(pageScope(deps))
    .get(
      `${SECURITY_PATH}/${kind}/:id`,
      ({ page, params: { id } }) => openPage(deps, page, (visit) => show(page, visit, id), pathOf(id)),
      { response: pageResponses, detail: pageDetail(`Page of ${title}`) },
    )
    .post(
      `${SECURITY_PATH}/${kind}/:id/rename`,
      ({ page, body, params: { id } }) =>
        takeForm(
          deps,
          page,
          body,
          async (visit, field) => {
            const name = field("name").trim();
            if (!isDisplayName(name)) return show(page, visit, id, name.slice(0, 128));
            await factor.rename(visit.session.user, id, name, page.context);
            return backToSecurity(page, { notice: "renamed" });
          },
          pathOf(id),
        ),
      { ...pageForm, response: pageResponses, detail: formDetail(`Rename ${title}`) },
    )
    .post(
      `${SECURITY_PATH}/${kind}/:id/remove`,
      ({ page, body, params: { id } }) =>
        takeForm(
          deps,
          page,
          body,
          async ({ session }) => {
            try {
              await factor.remove(page.tenant, session.user, id, page.context);
              return backToSecurity(page, { notice: "factor_removed" });
            } catch (error) {
              if (!(error instanceof AppError) || error.status !== 409) throw error;
              return backToSecurity(page, { problem: "last_factor" });
            }
          },
          pathOf(id),
        ),
      { ...pageForm, response: pageResponses, detail: formDetail(`Remove ${title}`) },
    );
}
