/** String formats of wire models. */
import { FormatRegistry } from "@sinclair/typebox";
import { isEmailAddress } from "../domain/users/service.ts";

/**
 * The format of email addresses, by one rule on every surface: the framework's own takes some that cannot be mailed to,
 * and refuses some that can.
 */
export const EMAIL_FORMAT = "email";

FormatRegistry.Set(EMAIL_FORMAT, isEmailAddress);
