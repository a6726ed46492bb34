import { OAuthError } from "../../lib/errors.ts";
import type { RequestParameters } from "../oauth/parameters.ts";

/** A logout request (OpenID Connect RP-Initiated Logout 1.0 §2). `logout_hint` is not used: whoever is asked is shown who they are. */
export interface LogoutRequest {
  readonly idTokenHint: string | undefined;
  readonly clientId: string | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly state: string | undefined;
}

/** What an id_token_hint that is ours says. */
export interface LogoutHint {
  readonly clientId: string;
  readonly subject: string;
  readonly sessionId: string | undefined;
}

/** What becomes of a logout request. `redirectUri` is one that the client registered, with `state`. */
export type LogoutDecision =
  /** The application proved that it speaks of this very session. */
  | { readonly kind: "end"; readonly redirectUri: string | undefined }
  /** Anybody can make a browser open the endpoint: the person is asked. */
  | { readonly kind: "confirm"; readonly redirectUri: string | undefined }
  /** There is no session to end. */
  | {
      readonly kind: "signed_out";
      readonly redirectUri: string | undefined;
      /** Whether the browser may be sent there without a click: only an ID token proves that an application asks. */
      readonly automatic: boolean;
    };

export function readLogoutRequest(parameters: RequestParameters): LogoutRequest {
  return {
    idTokenHint: parameters.get("id_token_hint"),
    clientId: parameters.get("client_id"),
    postLogoutRedirectUri: parameters.get("post_logout_redirect_uri"),
    state: parameters.get("state"),
  };
}

/**
 * The client that asks: the one that the hint was issued to, or the one that names itself (§2). Undefined when neither
 * is there.
 * @param hint undefined when none was sent; "invalid" when what was sent is no ID token of this issuer
 * @throws OAuthError invalid_request for an invalid hint, and for two clients
 */
export function logoutClientId(
  request: LogoutRequest,
  hint: LogoutHint | "invalid" | undefined,
): string | undefined {
  if (hint === "invalid") {
    throw new OAuthError("invalid_request", "The id_token_hint is not an ID token of this server.");
  }
  if (hint && request.clientId !== undefined && request.clientId !== hint.clientId) {
    throw new OAuthError("invalid_request", "The id_token_hint was issued to another client.");
  }
  return hint?.clientId ?? request.clientId;
}

/**
 * Decides about a logout request (RP-Initiated Logout §2, §3, §4).
 * @param client undefined when none is named or the named one is not known (any more)
 * @param session the browser's; `subject` is what the client knows its user as
 * @throws OAuthError invalid_request, to be shown and never to be sent anywhere: the URI that it might be sent to is
 *   what is wrong
 */
export function decideLogout(input: {
  request: LogoutRequest;
  hint: LogoutHint | undefined;
  client: { readonly postLogoutRedirectUris: readonly string[] } | undefined;
  session: { readonly id: string; readonly subject: string } | undefined;
}): LogoutDecision {
  const { request, hint, client, session } = input;
  if (request.clientId !== undefined && !client) {
    throw new OAuthError("invalid_request", "The client is not known.");
  }
  const redirectUri = checkedRedirectUri(request, client);
  if (!session) return { kind: "signed_out", redirectUri, automatic: hint !== undefined };
  return { kind: hint && isAbout(hint, session) ? "end" : "confirm", redirectUri };
}

/** A hint of an earlier session of the same person is no word about this one (§4: such a request is suspect). */
function isAbout(hint: LogoutHint, session: { readonly id: string; readonly subject: string }): boolean {
  if (hint.subject !== session.subject) return false;
  return hint.sessionId === undefined || hint.sessionId === session.id;
}

/** §3: compared exactly with those that the client registered, and refused without a client to compare with. */
function checkedRedirectUri(
  { postLogoutRedirectUri: uri, state }: LogoutRequest,
  client: { readonly postLogoutRedirectUris: readonly string[] } | undefined,
): string | undefined {
  if (uri === undefined) return undefined;
  if (!client) {
    throw new OAuthError(
      "invalid_request",
      "A post_logout_redirect_uri needs an id_token_hint or a client_id with it.",
    );
  }
  if (!client.postLogoutRedirectUris.includes(uri)) {
    throw new OAuthError(
      "invalid_request",
      "The post_logout_redirect_uri is not registered for this client.",
    );
  }
  return state === undefined ? uri : withState(uri, state);
}

/** The URI as it was registered, down to its last character, with one parameter more. */
function withState(uri: string, state: string): string {
  const [address = "", ...fragment] = uri.split("#");
  const separator = address.includes("?") ? "&" : "?";
  return [`${address}${separator}${new URLSearchParams({ state })}`, ...fragment].join("#");
}
