/** Authenticator apps on the security page: adding, renaming and removing them. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { addFactorInSession } from "../../domain/accounts/step-up.ts";
import { disableTotp, finishTotpSetup, renameTotp, requireAllowed } from "../../domain/mfa/factors.ts";
import { beginTotpSetup, listTotpDevices, resumeTotpSetup } from "../../domain/mfa/totp/service.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { AppError } from "../../lib/errors.ts";
import { linkTo, type PageRequest, pageScope, redirectTo, respondWithPage, shellOf } from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderBackupCodes, renderNameTotp, renderSetUpTotp } from "../pages/enroll.tsx";
import { afterNewFactor, openPage, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";
import { managedFactorRoutes } from "./managed-factor.routes.ts";

const NEW_PATH = `${SECURITY_PATH}/totp/new`;
const NAME_PATH = `${SECURITY_PATH}/totp/name`;

export const securityTotpRoutes = (deps: Deps) =>
  new Elysia({ name: "web-security-totp" }).use(adding(deps)).use(managing(deps));

const adding = (deps: Deps) =>
  new Elysia({ name: "web-security-totp-new" })
    .use(pageScope(deps))
    .get(NEW_PATH, ({ page }) => openPage(deps, page, (visit) => showNew(deps, page, visit), NEW_PATH), {
      response: pageResponses,
      detail: pageDetail("Page that adds an authenticator app"),
    })
    .post(
      NAME_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async (visit, field) => {
            requireAllowed(page.tenant, "totp");
            const name = field("name").trim();
            if (!isDisplayName(name)) return showName(deps, page, visit, name.slice(0, 128), "badName");
            try {
              await beginTotpSetup(deps, page.tenant, visit.session.user, {
                name,
                begunBy: visit.session.id,
              });
            } catch (error) {
              if (!(error instanceof AppError) || error.status !== 409) throw error;
              const taken = error.code === "mfa_already_enabled";
              return showName(deps, page, visit, name, taken ? "nameTaken" : "tooMany");
            }
            return redirectTo(page, linkTo(page, NEW_PATH, visit.authorization));
          },
          NEW_PATH,
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Name an authenticator app to add") },
    )
    .post(
      NEW_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async (visit, field) => {
            requireAllowed(page.tenant, "totp");
            const { session } = visit;
            const code = field("code").replaceAll(/\s/g, "").slice(0, 16);
            try {
              const factor = await finishTotpSetup(deps, session.user, code, undefined);
              const owner = { user: session.user, session };
              const codes = await addFactorInSession(deps, page.tenant, owner, factor, page.context);
              return showAdded(deps, page, visit, codes);
            } catch (error) {
              if (!(error instanceof AppError) || error.code !== "invalid_code") throw error;
              return showNew(deps, page, visit, true);
            }
          },
          NEW_PATH,
        ),
      {
        ...pageForm,
        response: pageResponses,
        detail: formDetail("Add an authenticator app by its first code"),
      },
    );

const managing = (deps: Deps) =>
  managedFactorRoutes(deps, {
    kind: "totp",
    title: "an authenticator app",
    list: (user) => listTotpDevices(deps, user),
    rename: (user, id, name, context) => renameTotp(deps, user, id, name, context),
    remove: (tenant, user, id, context) => disableTotp(deps, tenant, user, id, context),
  });

/** What is set up now, or what it is to be called where there is one already. */
async function showNew(
  deps: Deps,
  page: PageRequest,
  visit: SecurityVisit,
  wrongCode = false,
): Promise<Response> {
  requireAllowed(page.tenant, "totp");
  const { user, id: begunBy } = visit.session;
  let setup = await resumeTotpSetup(deps, page.tenant, user, begunBy);
  if (!setup && (await listTotpDevices(deps, user)).length > 0) return showName(deps, page, visit);
  setup ??= await beginTotpSetup(deps, page.tenant, user, { name: undefined, begunBy });
  const html = renderSetUpTotp(shellOf(page), {
    ...setup,
    form: visit.form(NEW_PATH),
    wrongCode,
    back: { url: linkTo(page, SECURITY_PATH), text: "cancel" },
  });
  return respondWithPage(deps, page, html, { status: wrongCode ? 400 : 200 });
}

function showName(
  deps: Deps,
  page: PageRequest,
  visit: SecurityVisit,
  name?: string,
  problem?: "badName" | "nameTaken" | "tooMany",
): Response {
  const html = renderNameTotp(shellOf(page), {
    form: visit.form(NAME_PATH),
    name,
    problem,
    backUrl: linkTo(page, SECURITY_PATH),
  });
  return respondWithPage(deps, page, html, { status: problem ? 400 : 200 });
}

/** Backup codes come with the first factor, and are shown this once. */
export function showAdded(
  deps: Deps,
  page: PageRequest,
  visit: SecurityVisit,
  codes: readonly string[],
): Response {
  const nextUrl = afterNewFactor(page, visit);
  if (codes.length === 0) return redirectTo(page, nextUrl);
  const html = renderBackupCodes(shellOf(page), { codes, nextUrl });
  return respondWithPage(deps, page, html, { withScript: true });
}
