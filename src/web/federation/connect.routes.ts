/** Adding what somebody is known by at a connection to their account. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { SECURITY_PATH, takeForm } from "../account/security-scope.ts";
import { type PageRequest, pageScope } from "../http.ts";
import { formDetail, pageForm, pageResponses } from "../models.ts";
import { departBySaml } from "../saml/sp-departure.ts";
import { answerFederationProblem } from "./after.ts";
import { depart, requireConnection, showLeaving } from "./departure.ts";

export const connectRoutes = (deps: Deps) =>
  new Elysia({ name: "web-connect" }).use(pageScope(deps)).post(
    "/account/external-accounts/connect",
    // What is added to an account is a way into it: a form of the account's page asks for it, after a proof of lately.
    async ({ page, body }) =>
      takeForm(
        deps,
        page,
        body,
        ({ session }, field) => connect(deps, page, session, field("connection")),
        SECURITY_PATH,
      ),
    {
      ...pageForm,
      response: { ...pageResponses, 502: pageResponses[400] },
      detail: formDetail("Connect an account of a provider to one's own"),
    },
  );

async function connect(deps: Deps, page: PageRequest, session: Session, key: string): Promise<Response> {
  try {
    const connection = await requireConnection(deps, page, key);
    const trip = {
      purpose: "link" as const,
      userId: session.user.id,
      sessionId: session.id,
      authorization: undefined,
    };
    if (connection.kind === "saml") return await departBySaml(deps, page, connection, trip);
    const url = await depart(deps, page, connection, trip);
    return showLeaving(deps, page, connection, url.href, undefined);
  } catch (error) {
    return answerFederationProblem(deps, page, error, { linking: true });
  }
}
