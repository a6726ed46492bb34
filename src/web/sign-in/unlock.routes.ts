/** What the mail about a locked account leads to. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { isUnlockLinkOpen, unlockByLink } from "../../domain/protection/service.ts";
import { AppError } from "../../lib/errors.ts";
import {
  formTo,
  linkTo,
  type PageRequest,
  pageScope,
  readPageForm,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderUnlock, renderUnlocked, renderUnlockExpired } from "../pages/unlock.tsx";

export const unlockRoutes = (deps: Deps) =>
  new Elysia({ name: "web-unlock" })
    .use(pageScope(deps))
    .get(
      "/unlock",
      async ({ page }) => {
        const token = page.query.get("token") ?? "";
        if (!(await isUnlockLinkOpen(deps, page.tenant, token))) return showExpired(deps, page);
        const form = formTo(deps, page, "/unlock");
        return respondWithPage(deps, page, renderUnlock(shellOf(page), { form, token }));
      },
      { response: pageResponses, detail: pageDetail("Unlock page, from a mailed link") },
    )
    .post(
      "/unlock",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        try {
          await unlockByLink(deps, page.tenant, field("token"), page.context);
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "invalid_token") throw error;
          return showExpired(deps, page);
        }
        const signInUrl = linkTo(page, "/signin");
        return respondWithPage(deps, page, renderUnlocked(shellOf(page), { signInUrl }));
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Unlock an account with the page's form") },
    );

function showExpired(deps: Deps, page: PageRequest): Response {
  const html = renderUnlockExpired(shellOf(page), { signInUrl: linkTo(page, "/signin") });
  return respondWithPage(deps, page, html, { status: 400 });
}
