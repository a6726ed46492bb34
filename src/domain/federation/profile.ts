/** What is kept of what a connection said, and what of it becomes the user's own profile. */
import { type ProfileChanges, profileProblems } from "../accounts/profile.ts";
import { isEmailAddress, type User } from "../users/service.ts";
import type { UpstreamIdentity } from "./identity.ts";

/** The members of a profile that connections fill. */
export type FederatedProfile = Required<
  Pick<ProfileChanges, "givenName" | "familyName" | "picture" | "locale">
>;

const columns = {
  givenName: "given_name",
  familyName: "family_name",
  picture: "picture",
  locale: "locale",
} as const satisfies Record<keyof FederatedProfile, string>;
const members = ["givenName", "familyName", "picture", "locale"] as const;

/** Others' words are held to the rules for people's own; what breaks one is left out. */
export function profileOf(identity: UpstreamIdentity): FederatedProfile {
  const { givenName = null, familyName = null, picture = null, locale = null } = identity;
  const profile = { givenName, familyName, picture, locale };
  const wrong = profileProblems(profile).map(({ field }) => field);
  const sound = (member: keyof FederatedProfile) =>
    wrong.includes(columns[member]) ? null : profile[member];
  return {
    givenName: sound("givenName"),
    familyName: sound("familyName"),
    picture: sound("picture"),
    locale: sound("locale"),
  };
}

export function addressOf({ email }: UpstreamIdentity): string | null {
  const address = email?.trim() ?? "";
  return isEmailAddress(address) ? address : null;
}

/** What the external account remembers, to be told to its owner and compared at the next sign-in. */
export function storedProfile(identity: UpstreamIdentity): Record<string, unknown> {
  const profile = profileOf(identity);
  return {
    ...Object.fromEntries(members.map((member) => [columns[member], profile[member]])),
    username: identity.username ?? null,
    email_verified: identity.emailVerified,
    groups: identity.groups ?? [],
  };
}

/**
 * What changes in a user's profile: members that are empty, and those that still say what the connection said last. What
 * people wrote themselves stays.
 * @returns undefined when nothing does
 */
export function profileRefresh(
  user: User,
  before: Readonly<Record<string, unknown>>,
  identity: UpstreamIdentity,
): Partial<FederatedProfile> | undefined {
  const after = profileOf(identity);
  const changed = members.filter((member) => {
    const [now, then, next] = [user[member], before[columns[member]], after[member]];
    return next !== null && next !== now && (now === null || now === then);
  });
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((member) => [member, after[member]]));
}
