/** When somebody could not, or would not, sign in where they were sent to: what the application that waits is told. */
import type { Deps } from "../../deps.ts";
import { AuthorizationError } from "../../protocol/oauth/authorization-error.ts";
import type { Tenant } from "../tenants/service.ts";
import { readAuthorization } from "./flow.ts";
import type { Interaction } from "./interaction.ts";
import { usePushedRequest } from "./pushed-requests.ts";
import { type Answered, answeringErrors } from "./respond.ts";

/** What an upstream's errors are to our client (OpenID Connect Core §3.1.2.6); others say that it did not work. */
const descriptions: Readonly<Record<string, string>> = {
  access_denied: "The person refused the request.",
  login_required: "The person has to sign in.",
  interaction_required: "The person has to do something first.",
  account_selection_required: "The person has to choose an account.",
  consent_required: "The person has to agree.",
  temporarily_unavailable: "The identity provider is not available.",
};

/**
 * Answers a pending authorization request with an error, once.
 * @throws AuthorizationError only when it must be shown instead of sent to the client
 */
export function failAuthorization(
  deps: Deps,
  { tenant, interaction }: { tenant: Tenant; interaction: Interaction },
  error: string,
): Promise<Answered> {
  return answeringErrors(deps, { tenant, search: interaction.search }, async () => {
    const { request } = await readAuthorization(deps, tenant, interaction);
    if (interaction.pushedRequest !== undefined)
      await usePushedRequest(deps, tenant, interaction.pushedRequest);
    const known = descriptions[error];
    throw known
      ? new AuthorizationError(error, known, request)
      : new AuthorizationError(
          "server_error",
          "The identity provider did not complete the sign-in.",
          request,
        );
  });
}
