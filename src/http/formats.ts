/** String formats of wire models. Imported by whoever declares one, so that it is there before a model is compiled. */
import { FormatRegistry } from "@sinclair/typebox";
import { isEmailAddress } from "../domain/users/service.ts";

/** One rule for addresses: the framework's own takes some that cannot be mailed to, and refuses some that can. */
FormatRegistry.Set("email", isEmailAddress);
