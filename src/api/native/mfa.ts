/** The second-factor half of the native surface. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { mfaAccountRoutes } from "./mfa-account.ts";
import { mfaCodeRoutes } from "./mfa-codes.ts";
import { totpRoutes } from "./mfa-totp.ts";
import { webauthnRoutes } from "./mfa-webauthn.ts";

export const mfaRoutes = (deps: Deps) =>
  new Elysia({ name: "native-mfa" })
    .use(totpRoutes(deps))
    .use(webauthnRoutes(deps))
    .use(mfaCodeRoutes(deps))
    .use(mfaAccountRoutes(deps));
