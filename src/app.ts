/** The only place where surfaces are joined. */
import { type AnyElysia, Elysia } from "elysia";
import { accountRoutes as nativeAccountRoutes } from "./api/native/account.ts";
import { adminAuditEventRoutes } from "./api/native/admin/audit-events.ts";
import { adminClientRoutes } from "./api/native/admin/clients.ts";
import { authnScimRoutes } from "./api/authn/scim.ts";
import { adminGroupRoleRoutes } from "./api/native/admin/group-roles.ts";
import { adminGroupRoutes } from "./api/native/admin/groups.ts";
import { adminOrganizationConfigurationRoutes } from "./api/native/admin/organization-configuration.ts";
import { adminOrganizationRoutes } from "./api/native/admin/organizations.ts";
import { adminRoleRoutes } from "./api/native/admin/roles.ts";
import { adminStatsRoutes } from "./api/native/admin/stats.ts";
import { adminUserAccessRoutes } from "./api/native/admin/user-access.ts";
import { adminUserRoutes } from "./api/native/admin/users.ts";
import { adminScimTokenRoutes } from "./api/native/admin/scim-tokens.ts";
import { adminInitialAccessTokenRoutes } from "./api/native/admin/initial-access-tokens.ts";
import { adminWebhookRoutes } from "./api/native/admin/webhooks.ts";
import { adminTrustedIssuerRoutes } from "./api/native/admin/trusted-issuers.ts";
import { complianceRoutes } from "./api/native/compliance.ts";
import { meAccountRoutes } from "./api/native/me-account.ts";
import { meGrantRoutes } from "./api/native/me-grants.ts";
import { mePhoneRoutes } from "./api/native/me-phones.ts";
import { meSessionRoutes } from "./api/native/me-sessions.ts";
import { mfaRoutes } from "./api/native/mfa.ts";
import { passwordlessRoutes } from "./api/native/passwordless.ts";
import { discoveryRoutes } from "./api/oauth/discovery.ts";
import { pushedAuthorizationRoutes } from "./api/oauth/par.ts";
import { registrationRoutes } from "./api/oauth/registration.ts";
import { deviceAuthorizationRoutes } from "./api/oauth/device-authorization.ts";
import { introspectionRoutes } from "./api/oauth/introspect.ts";
import { revocationRoutes } from "./api/oauth/revoke.ts";
import { tokenRoutes } from "./api/oauth/token.ts";
import { userinfoRoutes } from "./api/oauth/userinfo.ts";
import { docsRoutes } from "./api/operations/docs.ts";
import { healthRoutes } from "./api/operations/health.ts";
import { scimRoutes } from "./api/scim/routes.ts";
import type { Deps } from "./deps.ts";
import { errorHandling } from "./http/errors.ts";
import { methodRefusal } from "./http/method-not-allowed.ts";
import type { Metrics } from "./http/metrics.ts";
import type { Limiter } from "./http/rate-limit/limiter.ts";
import { rateLimiting } from "./http/rate-limit/plugin.ts";
import type { QueueHealth } from "./queue/health.ts";
import { accountAccessRoutes } from "./web/account/account-access.routes.ts";
import { accountRoutes } from "./web/account/account.routes.ts";
import { assetRoutes } from "./web/assets.routes.ts";
import { authorizeRoutes } from "./web/oauth/authorize.routes.ts";
import { consentRoutes } from "./web/oauth/consent.routes.ts";
import { deviceRoutes } from "./web/oauth/device.routes.ts";
import { enrollRoutes } from "./web/sign-in/enroll.routes.ts";
import { errorPage } from "./web/error-page.ts";
import { linkRoutes } from "./web/account/links.routes.ts";
import { logoutRoutes } from "./web/oauth/logout.routes.ts";
import { magicLinkRoutes } from "./web/sign-in/magic-link.routes.ts";
import { mailboxRoutes } from "./web/mailbox.routes.ts";
import { passkeySignInRoutes } from "./web/sign-in/passkey-sign-in.routes.ts";
import { passkeySignUpRoutes } from "./web/sign-up/passkey-sign-up.routes.ts";
import { passwordlessPageRoutes } from "./web/sign-in/passwordless.routes.ts";
import { recoveryRoutes } from "./web/sign-in/recovery.routes.ts";
import { securityAccountRoutes } from "./web/account/security-account.routes.ts";
import { securityPasskeyRoutes } from "./web/account/security-passkeys.routes.ts";
import { securityTotpRoutes } from "./web/account/security-totp.routes.ts";
import { securityRoutes } from "./web/account/security.routes.ts";
import { selectAccountRoutes } from "./web/oauth/select-account.routes.ts";
import { signInRoutes } from "./web/sign-in/sign-in.routes.ts";
import { signUpRoutes } from "./web/sign-up/sign-up.routes.ts";
import { stepUpRoutes } from "./web/sign-in/step-up.routes.ts";
import { unlockRoutes } from "./web/sign-in/unlock.routes.ts";
import { verifyRoutes } from "./web/sign-in/verify.routes.ts";

export interface AppParts {
  metrics: Metrics;
  queue: QueueHealth;
  /** Without one, nothing is limited. */
  limiter?: Limiter | undefined;
}

export function createApp(deps: Deps, { metrics, queue, limiter }: AppParts): AnyElysia {
  const surfaces = [
    healthRoutes(deps, metrics, queue),
    docsRoutes(deps),
    discoveryRoutes(deps),
    tokenRoutes(deps),
    introspectionRoutes(deps),
    revocationRoutes(deps),
    deviceAuthorizationRoutes(deps),
    pushedAuthorizationRoutes(deps),
    registrationRoutes(deps),
    userinfoRoutes(deps),
    nativeAccountRoutes(deps),
    mfaRoutes(deps),
    passwordlessRoutes(deps),
    meAccountRoutes(deps),
    mePhoneRoutes(deps),
    meSessionRoutes(deps),
    meGrantRoutes(deps),
    adminClientRoutes(deps),
    adminAuditEventRoutes(deps),
    complianceRoutes(deps),
    adminUserRoutes(deps),
    adminUserAccessRoutes(deps),
    adminStatsRoutes(deps),
    adminOrganizationRoutes(deps),
    adminOrganizationConfigurationRoutes(deps),
    adminRoleRoutes(deps),
    adminGroupRoutes(deps),
    adminInitialAccessTokenRoutes(deps),
    adminTrustedIssuerRoutes(deps),
    scimRoutes(deps),
    authnScimRoutes(deps),
    adminScimTokenRoutes(deps),
    adminGroupRoleRoutes(deps),
    adminWebhookRoutes(deps),
    assetRoutes,
    accountRoutes(deps),
    accountAccessRoutes(deps),
    authorizeRoutes(deps),
    consentRoutes(deps),
    deviceRoutes(deps),
    selectAccountRoutes(deps),
    logoutRoutes(deps),
    signInRoutes(deps),
    passkeySignInRoutes(deps),
    verifyRoutes(deps),
    enrollRoutes(deps),
    stepUpRoutes(deps),
    securityRoutes(deps),
    securityTotpRoutes(deps),
    securityPasskeyRoutes(deps),
    securityAccountRoutes(deps),
    signUpRoutes(deps),
    passkeySignUpRoutes(deps),
    passwordlessPageRoutes(deps),
    magicLinkRoutes(deps),
    linkRoutes(deps),
    recoveryRoutes(deps),
    unlockRoutes(deps),
    ...(deps.config.mail.driver === "mailbox" ? [mailboxRoutes(deps)] : []),
  ];
  const app: AnyElysia = new Elysia()
    // First, so that it is there for every route that follows.
    .use(
      errorHandling(
        deps,
        errorPage(deps),
        methodRefusal(() => app.routes),
      ),
    )
    .use(limiter ? rateLimiting(deps, limiter) : new Elysia());
  // One by one: in a chain, each would carry the types of all before it, which nobody needs here.
  for (const surface of surfaces) app.use(surface);
  return app;
}
