/** Passkeys on the security page: adding, renaming and removing them. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { addFactorInSession } from "../../domain/accounts/step-up.ts";
import { requireAllowed } from "../../domain/mfa/factors.ts";
import {
  beginRegistration,
  finishRegistration,
  listPasskeys,
  removePasskey,
  renamePasskey,
} from "../../domain/passkeys/service.ts";
import { CreationOptions } from "../../http/webauthn-models.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { AppError, notFound, unauthorized } from "../../lib/errors.ts";
import { linkTo, type PageRequest, pageScope, readPageForm, respondWithPage, shellOf } from "../http.ts";
import {
  formDetail,
  optionsDetail,
  optionsErrors,
  optionsHeaders,
  pageDetail,
  pageForm,
  pageResponses,
} from "../models.ts";
import { renderCreatePasskey } from "../pages/enroll.tsx";
import { renderManageFactor } from "../pages/security-forms.tsx";
import { readRegistration } from "../sign-in/passkey-answer.ts";
import {
  backToSecurity,
  isFresh,
  openPage,
  SECURITY_PATH,
  type SecurityVisit,
  takeForm,
} from "./security-scope.ts";
import { showAdded } from "./security-totp.routes.ts";
import { factorView } from "./security.routes.ts";

const NEW_PATH = `${SECURITY_PATH}/passkeys/new`;
const pathOf = (id: string) => `${SECURITY_PATH}/passkeys/${id}`;

export const securityPasskeyRoutes = (deps: Deps) =>
  new Elysia({ name: "web-security-passkeys" }).use(adding(deps)).use(managing(deps));

const adding = (deps: Deps) =>
  new Elysia({ name: "web-security-passkeys-new" })
    .use(pageScope(deps))
    .get(
      NEW_PATH,
      ({ page }) => openPage(deps, page, (visit) => showNew(deps, page, visit, false), NEW_PATH),
      { response: pageResponses, detail: pageDetail("Page that adds a passkey") },
    )
    .post(
      NEW_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async (visit, field) => {
            requireAllowed(page.tenant, "webauthn");
            const { session } = visit;
            const response = readRegistration(field("credential"));
            const name = field("name").trim().slice(0, 128) || undefined;
            if (!response) return showNew(deps, page, visit, true);
            try {
              const factor = await finishRegistration(deps, page.tenant, session.user, response, name);
              const owner = { user: session.user, session };
              const codes = await addFactorInSession(deps, page.tenant, owner, factor, page.context);
              return showAdded(deps, page, visit, codes);
            } catch (error) {
              const refused =
                error instanceof AppError && (error.code === "invalid_credential" || error.status === 422);
              if (!refused) throw error;
              return showNew(deps, page, visit, true);
            }
          },
          NEW_PATH,
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Add a passkey") },
    )
    .post(
      `${NEW_PATH}/options`,
      async ({ page, body, set }) => {
        Object.assign(set.headers, optionsHeaders);
        const session = page.session;
        readPageForm(deps, page, body, session);
        if (!session || !(await isFresh(deps, page, session)))
          throw unauthorized("Please prove again who you are.");
        requireAllowed(page.tenant, "webauthn");
        return beginRegistration(deps, page.tenant, session.user);
      },
      {
        ...pageForm,
        response: { 200: CreationOptions, 409: optionsErrors[400], ...optionsErrors },
        detail: optionsDetail("What an authenticator is asked for, to add a passkey"),
      },
    );

const managing = (deps: Deps) =>
  new Elysia({ name: "web-security-passkeys-manage" })
    .use(pageScope(deps))
    .get(
      `${SECURITY_PATH}/passkeys/:id`,
      ({ page, params: { id } }) =>
        openPage(deps, page, (visit) => showManage(deps, page, visit, id), pathOf(id)),
      { response: pageResponses, detail: pageDetail("Page of one passkey") },
    )
    .post(
      `${SECURITY_PATH}/passkeys/:id/rename`,
      ({ page, body, params: { id } }) =>
        takeForm(
          deps,
          page,
          body,
          async (visit, field) => {
            const name = field("name").trim();
            if (!isDisplayName(name)) return showManage(deps, page, visit, id, name.slice(0, 128));
            await renamePasskey(deps, visit.session.user, id, name, page.context);
            return backToSecurity(page, { notice: "renamed" });
          },
          pathOf(id),
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Rename a passkey") },
    )
    .post(
      `${SECURITY_PATH}/passkeys/:id/remove`,
      ({ page, body, params: { id } }) =>
        takeForm(
          deps,
          page,
          body,
          async ({ session }) => {
            try {
              await removePasskey(deps, page.tenant, session.user, id, page.context);
              return backToSecurity(page, { notice: "factor_removed" });
            } catch (error) {
              if (!(error instanceof AppError) || error.status !== 409) throw error;
              return backToSecurity(page, { problem: "last_factor" });
            }
          },
          pathOf(id),
        ),
      { ...pageForm, response: pageResponses, detail: formDetail("Remove a passkey") },
    );

function showNew(deps: Deps, page: PageRequest, { form }: SecurityVisit, refused: boolean): Response {
  requireAllowed(page.tenant, "webauthn");
  const html = renderCreatePasskey(shellOf(page), {
    form: form(NEW_PATH),
    optionsUrl: `${page.base}${NEW_PATH}/options`,
    problem: refused ? "notCreated" : undefined,
    back: { url: linkTo(page, SECURITY_PATH), text: "cancel" },
  });
  return respondWithPage(deps, page, html, { status: refused ? 400 : 200, withScript: true });
}

async function showManage(
  deps: Deps,
  page: PageRequest,
  { session, form }: SecurityVisit,
  id: string,
  badName?: string,
): Promise<Response> {
  const passkeys = await listPasskeys(deps, session.user);
  const passkey = passkeys.find((one) => one.id === id);
  if (!passkey) throw notFound("There is no such passkey.");
  const html = renderManageFactor(shellOf(page), {
    kind: "passkeys",
    factor: factorView(passkey, ""),
    rename: form(`${pathOf(id)}/rename`),
    remove: form(`${pathOf(id)}/remove`),
    badName,
    backUrl: linkTo(page, SECURITY_PATH),
  });
  return respondWithPage(deps, page, html, { status: badName === undefined ? 200 : 400 });
}
