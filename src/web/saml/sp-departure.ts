/** Sending a browser to a SAML identity provider. */
import type { Deps } from "../../deps.ts";
import type { SamlConnection } from "../../domain/connections/service.ts";
import type { RoundTrip } from "../../domain/federation/round-trip.ts";
import { beginSamlSignIn } from "../../domain/saml-sp/sign-in.ts";
import type { PageRequest } from "../http.ts";
import type { PageAuthorization } from "../page-authorization.ts";
import { carry } from "./carry.ts";

/** Takes the request of the application that waits along, and asks for a fresh proof where it does. */
export async function departBySaml(
  deps: Deps,
  page: PageRequest,
  connection: SamlConnection,
  trip: Pick<RoundTrip, "purpose" | "userId" | "sessionId"> & {
    authorization: PageAuthorization | undefined;
  },
): Promise<Response> {
  const { authorization, ...rest } = trip;
  const message = await beginSamlSignIn(deps, page.tenant, connection, {
    ...rest,
    interaction: authorization?.sealed,
    rememberMe: false,
    browserSecret: page.browser.secret,
    forceAuthn: wantedProof(authorization).anew || wantedProof(authorization).maxAge !== undefined,
    isPassive: false,
  });
  return carry(deps, page, message, { connection, authorization });
}

/** How fresh a proof the application wants that waits. */
export const wantedProof = (authorization: PageAuthorization | undefined) => ({
  anew: authorization?.prompt.includes("login") ?? false,
  maxAge: authorization?.maxAge,
});
