import { OAuthError } from "../../lib/errors.ts";
import type { AuthenticationNeed } from "../oidc/acr.ts";
import { dpopSigningAlgorithms } from "./dpop.ts";

/**
 * A good token whose sign-in is too old or too weak for what it is used for (RFC 9470 §3): 401, with what would do. The
 * client sends the person through authentication again, with these `acr_values` and this `max_age`, and comes back.
 * @param scheme by which the token was presented: a bound one is of no use as Bearer (RFC 9449 §7.1)
 */
export function insufficientUserAuthentication(
  need: AuthenticationNeed,
  scheme: "Bearer" | "DPoP" = "Bearer",
): OAuthError {
  const description = "Please prove again who you are: this action needs a recent sign-in.";
  const attributes = [
    'error="insufficient_user_authentication"',
    `error_description="${description}"`,
    ...(need.acr ? [`acr_values="${need.acr}"`] : []),
    `max_age="${need.maxAgeSeconds}"`,
    ...(scheme === "DPoP" ? [`algs="${dpopSigningAlgorithms.join(" ")}"`] : []),
  ];
  return new OAuthError("insufficient_user_authentication", description, {
    status: 401,
    headers: { "www-authenticate": `${scheme} ${attributes.join(", ")}` },
  });
}
