/** What is read off a subject token (RFC 8693 §2.1), beyond whether it may be exchanged. */
import { addSeconds } from "../../lib/clock.ts";
import { OAuthError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import type { LiveAccessToken } from "../access-tokens/access.ts";
import type { Authentication } from "../access-tokens/mint.ts";
import type { Client } from "../clients/service.ts";

function audiencesOf({ claims }: LiveAccessToken): string[] {
  const { aud } = claims;
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return all.filter((one) => typeof one === "string");
}

/**
 * Whom the new token is for: the targets that the request names or, without any, those of the subject token that the
 * client may have. This server itself is one only where the subject token is for it already: otherwise a token for some
 * API would become one for its user's account.
 * @param ours whether it is one of our own applications that has the subject token. An application of ours opens more here
 *   than others do, and none of theirs gets as far by having its token exchanged.
 * @param requested what the client asked for, and may have as far as its registration goes
 * @throws OAuthError invalid_target
 */
export function exchangedAudience(
  requested: readonly string[],
  subject: LiveAccessToken,
  { client, issuer, ours }: { client: Client; issuer: string; ours: boolean },
): readonly string[] {
  const stays = ours || !client.firstParty;
  const ofSubject = audiencesOf(subject).filter((one) => one !== issuer || stays);
  const fallback = ofSubject.filter((one) => one === issuer || client.resources.includes(one));
  const audience = requested.length > 0 ? requested : fallback;
  if (audience.length === 0 || (audience.includes(issuer) && !ofSubject.includes(issuer)))
    throw new OAuthError("invalid_target", "The client cannot get a token for this target from this one.");
  return audience;
}

/** The sign-in that the subject token tells of: the new token tells of no other. */
export function authenticationOf(
  { claims }: LiveAccessToken,
  sessionId: Id<"session"> | null,
): Authentication {
  const { auth_time: authTime, iat, acr, amr } = claims;
  const methods: readonly unknown[] = Array.isArray(amr) ? amr : [];
  return {
    sessionId,
    authTime: addSeconds(new Date(0), Number(authTime ?? iat)),
    acr: typeof acr === "string" ? acr : "",
    amr: methods.filter((method) => typeof method === "string"),
  };
}
