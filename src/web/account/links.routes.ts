/** What mailed links lead to that change something about an account: each a page with a button, which then does it. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { cancelDeletionByLink, isCancelDeletionLinkOpen } from "../../domain/accounts/deletion.ts";
import {
  consentToEmailChange,
  type EmailConsent,
  findLinkedEmailChange,
} from "../../domain/accounts/email-change.ts";
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
import { type LinkOutcome, renderLink, renderLinkDone, renderLinkExpired } from "../pages/links.tsx";

export const linkRoutes = (deps: Deps) =>
  new Elysia({ name: "web-links" })
    .use(pageScope(deps))
    .get("/email-change/approve", ({ page }) => showConsent(deps, page, "approve"), {
      response: pageResponses,
      detail: pageDetail("Page that approves another email address, from a mail to the old one"),
    })
    .post("/email-change/approve", ({ page, body }) => takeConsent(deps, page, "approve", body), {
      ...pageForm,
      response: { ...pageResponses, 409: pageResponses[400] },
      detail: formDetail("Approve another email address with the page's form"),
    })
    .get("/email-change/confirm", ({ page }) => showConsent(deps, page, "confirm"), {
      response: pageResponses,
      detail: pageDetail("Page that confirms a new email address, from a mail to it"),
    })
    .post("/email-change/confirm", ({ page, body }) => takeConsent(deps, page, "confirm", body), {
      ...pageForm,
      response: { ...pageResponses, 409: pageResponses[400] },
      detail: formDetail("Confirm a new email address with the page's form"),
    })
    .get(
      "/keep-account",
      async ({ page }) => {
        const token = page.query.get("token") ?? "";
        if (!(await isCancelDeletionLinkOpen(deps, page.tenant, token))) return showExpired(deps, page);
        const form = formTo(deps, page, "/keep-account");
        return respondWithPage(deps, page, renderLink(shellOf(page), { kind: "keepAccount", form, token }));
      },
      { response: pageResponses, detail: pageDetail("Page that calls a deletion off, from a mailed link") },
    )
    .post(
      "/keep-account",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        return using(deps, page, async () => {
          await cancelDeletionByLink(deps, page.tenant, field("token"), page.context);
          return "accountKept";
        });
      },
      {
        ...pageForm,
        response: pageResponses,
        detail: formDetail("Call a deletion off with the page's form"),
      },
    );

async function showConsent(deps: Deps, page: PageRequest, consent: EmailConsent): Promise<Response> {
  const token = page.query.get("token") ?? "";
  const change = await findLinkedEmailChange(deps, page.tenant, consent, token);
  if (!change) return showExpired(deps, page);
  const html = renderLink(shellOf(page), {
    kind: consent === "approve" ? "approveEmail" : "confirmEmail",
    form: formTo(deps, page, `/email-change/${consent}`),
    token,
    newAddress: change.newAddress,
  });
  return respondWithPage(deps, page, html);
}

async function takeConsent(
  deps: Deps,
  page: PageRequest,
  consent: EmailConsent,
  body: unknown,
): Promise<Response> {
  const field = readPageForm(deps, page, body);
  return using(deps, page, async () =>
    (await consentToEmailChange(deps, page.tenant, consent, field("token"), page.context))
      ? "emailChanged"
      : "otherConsentMissing",
  );
}

async function using(deps: Deps, page: PageRequest, use: () => Promise<LinkOutcome>): Promise<Response> {
  try {
    const outcome = await use();
    const html = renderLinkDone(shellOf(page), { outcome, signInUrl: linkTo(page, "/signin") });
    return respondWithPage(deps, page, html);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid_token") throw error;
    return showExpired(deps, page);
  }
}

function showExpired(deps: Deps, page: PageRequest): Response {
  const html = renderLinkExpired(shellOf(page), { signInUrl: linkTo(page, "/signin") });
  return respondWithPage(deps, page, html, { status: 400 });
}
