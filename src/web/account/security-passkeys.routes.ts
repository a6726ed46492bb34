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
import { AppError, unauthorized } from "../../lib/errors.ts";
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
import { readRegistration } from "../sign-in/passkey-answer.ts";
import { isFresh, openPage, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";
import { managedFactorRoutes } from "./managed-factor.routes.ts";
import { showAdded } from "./security-totp.routes.ts";

const NEW_PATH = `${SECURITY_PATH}/passkeys/new`;

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
  managedFactorRoutes(deps, {
    kind: "passkeys",
    title: "a passkey",
    list: (user) => listPasskeys(deps, user),
    rename: (user, id, name, context) => renamePasskey(deps, user, id, name, context),
    remove: (tenant, user, id, context) => removePasskey(deps, tenant, user, id, context),
  });

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
