/** Signing in by a code of six digits. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { requireSignInProof, verifySignInCode } from "../../domain/proofs/service.ts";
import { AppError } from "../../lib/errors.ts";
import { proofCookieName } from "../cookies.ts";
import {
  formTo,
  linkTo,
  type PageAuthorization,
  pageAuthorization,
  type PageRequest,
  pageScope,
  readPageForm,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { type ProofProblem, renderEnterCode } from "../pages/passwordless.tsx";
import { askForProof, mailboxUrlOf, showAsk, signInWithProof } from "./passwordless.ts";

export const passwordlessPageRoutes = (deps: Deps) =>
  new Elysia({ name: "web-passwordless" })
    .use(pageScope(deps))
    .get(
      "/signin/code",
      async ({ page }) => {
        const authorization = await pageAuthorization(deps, page, page.query.get("interaction") ?? undefined);
        const method = codeMethodOf(page.query.get("method"));
        requireSignInProof(deps, page.tenant, method);
        return showAsk(deps, page, { method, authorization, identifier: authorization?.loginHint });
      },
      {
        response: pageResponses,
        detail: pageDetail("Page that asks where to send a code (`method`: email_code or sms_code)"),
      },
    )
    .post(
      "/signin/code",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const method = codeMethodOf(field("method"));
        return askForProof(deps, page, method, field, ({ authorization, identifier }) =>
          showEnterCode(deps, page, { method, authorization, identifier }),
        );
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Have a sign-in code sent") },
    )
    .post(
      "/signin/code/verify",
      async ({ page, body }) => {
        const field = readPageForm(deps, page, body);
        const authorization = await pageAuthorization(deps, page, field("interaction"));
        const kind = codeMethodOf(field("method"));
        const rememberMe = field("remember_me") === "true";
        try {
          const input = {
            token: page.cookies.get(proofCookieName) ?? "",
            code: field("code").slice(0, 16),
            kind,
          };
          const proven = await verifySignInCode(deps, page.tenant, input, page.context);
          return await signInWithProof(deps, page, proven, authorization, { rememberMe });
        } catch (error) {
          const problem = problemOf(error);
          if (!problem) throw error;
          const identifier = field("identifier").slice(0, 254);
          return showEnterCode(deps, page, { method: kind, authorization, identifier, problem, rememberMe });
        }
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Sign in with a code") },
    );

/** A code can be mailed or texted; whatever else a page or a link says, it is mailed. */
const codeMethodOf = (text: string | null): "email_code" | "sms_code" =>
  text === "sms_code" ? "sms_code" : "email_code";

function problemOf(error: unknown): ProofProblem | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.code === "invalid_code") return "wrong_code";
  return error.status === 429 ? "too_many_attempts" : undefined;
}

function showEnterCode(
  deps: Deps,
  page: PageRequest,
  props: {
    method: "email_code" | "sms_code";
    authorization: PageAuthorization | undefined;
    identifier: string;
    problem?: ProofProblem;
    rememberMe?: boolean;
  },
): Response {
  const { method, authorization, identifier, problem, rememberMe = false } = props;
  const again = new URLSearchParams({
    method,
    ...(authorization ? { interaction: authorization.sealed } : {}),
  });
  const html = renderEnterCode(shellOf(page, authorization), {
    method,
    form: formTo(deps, page, "/signin/code/verify", authorization),
    identifier,
    problem,
    rememberMe: page.tenant.settings.remember_me_enabled ? { checked: rememberMe } : undefined,
    againUrl: `${linkTo(page, "/signin/code")}?${again}`,
    mailboxUrl: mailboxUrlOf(deps),
  });
  return respondWithPage(deps, page, html, { status: problem ? 400 : 200, authorization });
}
