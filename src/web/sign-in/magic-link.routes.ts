/**
 * Signing in by a mailed link. The link signs nobody in by being opened: mail scanners open links, and people open them on
 * another device than the one they sign in on. A button confirms it, and the browser that asked for it goes on.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import {
  checkNumberOf,
  completeMagicLink,
  confirmMagicLink,
  findMagicLink,
  isHolder,
  magicLinkState,
  type Proof,
  proofIdOf,
  requireSignInProof,
} from "../../domain/proofs/service.ts";
import { describeDevice } from "../../lib/device.ts";
import { AppError } from "../../lib/errors.ts";
import { expireCookie, pendingCookieName, proofCookieName } from "../cookies.ts";
import {
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  rememberAuthorization,
  rememberedAuthorization,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderLinkExpired } from "../pages/links.tsx";
import { renderLinkConfirmed, renderOpenedLink, renderWaitForLink } from "../pages/passwordless.tsx";
import { askForProof, mailboxUrlOf, showAsk, signInWithProof } from "./passwordless.ts";

export const magicLinkRoutes = (deps: Deps) =>
  new Elysia({ name: "web-magic-link" })
    .use(pageScope(deps))
    .get(
      "/signin/magic-link",
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        requireSignInProof(deps, page.tenant, "magic_link");
        const identifier = authorization?.loginHint;
        return showAsk(deps, page, { method: "magic_link", authorization, identifier });
      },
      { response: pageResponses, detail: pageDetail("Page that asks where to send a sign-in link") },
    )
    .post(
      "/signin/magic-link",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        return askForProof(deps, page, "magic_link", field, ({ authorization }) =>
          // The link may be opened here as well, in a tab that knows nothing of the application.
          rememberAuthorization(
            redirectTo(page, linkTo(page, "/signin/link/wait", authorization)),
            authorization,
          ),
        );
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Have a sign-in link mailed") },
    )
    .get(
      "/signin/link/wait",
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        const token = page.cookies.get(proofCookieName) ?? "";
        const state = await magicLinkState(deps, page.tenant, token);
        if (state === "pending") return showWaiting(deps, page, token, authorization);
        if (state === "expired") return showExpired(deps, page, authorization);
        return goOn(deps, page, token, authorization);
      },
      {
        response: { ...pageResponses, 401: pageResponses[400] },
        detail: pageDetail("Page of the browser that asked for a link: goes on once it is confirmed"),
      },
    )
    .get(
      "/signin/link",
      async ({ page }) => {
        const token = page.query.get("token") ?? "";
        const proof = await findMagicLink(deps, page.tenant, token);
        return proof ? showOpened(deps, page, proof, token) : showExpired(deps, page);
      },
      { response: pageResponses, detail: pageDetail("Page that a sign-in link opens") },
    )
    .post(
      "/signin/link",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const token = field("token");
        try {
          const proof = await findMagicLink(deps, page.tenant, token);
          await confirmMagicLink(deps, page.tenant, token);
          const held = page.cookies.get(proofCookieName);
          if (!proof || held === undefined || !isHolder(proof, held)) {
            return respondWithPage(deps, page, renderLinkConfirmed(shellOf(page)));
          }
          return await goOn(deps, page, held, await rememberedAuthorization(deps, page));
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "invalid_token") throw error;
          return showExpired(deps, page);
        }
      },
      {
        ...pageForm,
        response: { ...pageResponses, 401: pageResponses[400] },
        detail: formDetail("Confirm a sign-in link, and sign in where it was asked for"),
      },
    );

/** @throws AppError 401 when another tab of this browser was quicker */
async function goOn(
  deps: Deps,
  page: PageRequest,
  held: string,
  authorization: PageAuthorization | undefined,
): Promise<Response> {
  const proven = await completeMagicLink(deps, page.tenant, held);
  const cookies = [expireCookie(pendingCookieName)];
  return signInWithProof(deps, page, proven, authorization, { rememberMe: false, cookies });
}

function showWaiting(
  deps: Deps,
  page: PageRequest,
  token: string,
  authorization: PageAuthorization | undefined,
): Response {
  const id = proofIdOf(token);
  if (!id) return showExpired(deps, page, authorization);
  const html = renderWaitForLink(shellOf(page, authorization), {
    checkNumber: checkNumberOf(deps, id),
    waitUrl: linkTo(page, "/signin/link/wait", authorization),
    againUrl: linkTo(page, "/signin/magic-link", authorization),
    mailboxUrl: mailboxUrlOf(deps),
  });
  return respondWithPage(deps, page, html, { authorization });
}

function showOpened(deps: Deps, page: PageRequest, proof: Proof, token: string): Response {
  const html = renderOpenedLink(shellOf(page), {
    form: formTo(deps, page, "/signin/link"),
    token,
    sameBrowser: isHolder(proof, page.cookies.get(proofCookieName)),
    checkNumber: checkNumberOf(deps, proof.id),
    place: { address: proof.ip ?? undefined, device: describeDevice(proof.userAgent) },
  });
  return respondWithPage(deps, page, html);
}

function showExpired(deps: Deps, page: PageRequest, authorization?: PageAuthorization): Response {
  const signInUrl = linkTo(page, "/signin", authorization);
  const html = renderLinkExpired(shellOf(page, authorization), { signInUrl });
  return respondWithPage(deps, page, html, { status: 400, authorization });
}
