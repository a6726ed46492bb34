import { AppError } from "../../lib/errors.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";

/** One answer for a wrong password or passkey, an unknown user, one without a password, a disabled one, a locked account. */
export const invalidCredentials = () => new AppError(401, "unauthorized", "The credentials are not valid.");

/** For a first factor that is not enough, where there is nothing to add to it. */
export const userVerificationRequired = () =>
  new AppError(
    403,
    "user_verification_required",
    "This passkey did not verify who you are. Please sign in another way.",
  );

/**
 * Called once the credentials were right: nobody else is to learn whether an address is verified.
 * @throws AppError 403 `email_not_verified`
 */
export function requireVerifiedEmail(tenant: Tenant, user: User): void {
  if (tenant.settings.email_verification_required && !user.emailVerified) {
    throw new AppError(403, "email_not_verified", "Please confirm your email address before you sign in.");
  }
}
