/** The only place where surfaces are joined. */
import { Elysia } from "elysia";
import { accountRoutes as nativeAccountRoutes } from "./api/native/account.ts";
import { discoveryRoutes } from "./api/oauth/discovery.ts";
import { tokenRoutes } from "./api/oauth/token.ts";
import { userinfoRoutes } from "./api/oauth/userinfo.ts";
import { docsRoutes } from "./api/operations/docs.ts";
import { healthRoutes } from "./api/operations/health.ts";
import type { Deps } from "./deps.ts";
import { errorHandling } from "./http/errors.ts";
import type { Metrics } from "./http/metrics.ts";
import type { QueueHealth } from "./queue/health.ts";
import { accountRoutes } from "./web/account.routes.ts";
import { assetRoutes } from "./web/assets.routes.ts";
import { authorizeRoutes } from "./web/authorize.routes.ts";
import { errorPage } from "./web/error-page.ts";
import { mailboxRoutes } from "./web/mailbox.routes.ts";
import { recoveryRoutes } from "./web/recovery.routes.ts";
import { signInRoutes } from "./web/sign-in.routes.ts";
import { signUpRoutes } from "./web/sign-up.routes.ts";

export interface AppParts {
  metrics: Metrics;
  queue: QueueHealth;
}

export function createApp(deps: Deps, { metrics, queue }: AppParts) {
  const app = new Elysia()
    // First, so that it is there for every route that follows.
    .use(errorHandling(deps, errorPage(deps)))
    .use(healthRoutes(deps, metrics, queue))
    .use(docsRoutes(deps))
    .use(discoveryRoutes(deps))
    .use(tokenRoutes(deps))
    .use(userinfoRoutes(deps))
    .use(nativeAccountRoutes(deps))
    .use(assetRoutes)
    .use(accountRoutes(deps))
    .use(authorizeRoutes(deps))
    .use(signInRoutes(deps))
    .use(signUpRoutes(deps))
    .use(recoveryRoutes(deps));
  return deps.config.mail.driver === "mailbox" ? app.use(mailboxRoutes(deps)) : app;
}
