/** The only place where surfaces are joined. */
import { type AnyElysia, Elysia } from "elysia";
import { accountRoutes as nativeAccountRoutes } from "./api/native/account.ts";
import { adminApiKeyRoutes } from "./api/native/admin/api-keys.ts";
import { adminAuditEventRoutes } from "./api/native/admin/audit-events.ts";
import { adminClientRoutes } from "./api/native/admin/clients.ts";
import { adminConnectionRoutes } from "./api/native/admin/connections.ts";
import { authnScimRoutes } from "./api/authn/scim.ts";
import { adminGroupRoleRoutes } from "./api/native/admin/group-roles.ts";
import { adminGroupRoutes } from "./api/native/admin/groups.ts";
import { adminOrganizationConfigurationRoutes } from "./api/native/admin/organization-configuration.ts";
import { adminOrganizationRoutes } from "./api/native/admin/organizations.ts";
import { adminRoleRoutes } from "./api/native/admin/roles.ts";
import { adminImpersonationRoutes } from "./api/native/admin/impersonation.ts";
import { adminServiceAccountRoutes } from "./api/native/admin/service-accounts.ts";
import { adminStatsRoutes } from "./api/native/admin/stats.ts";
import { adminUserAccessRoutes } from "./api/native/admin/user-access.ts";
import { adminUserExternalAccountRoutes } from "./api/native/admin/user-external-accounts.ts";
import { adminUserExportRoutes } from "./api/native/admin/user-exports.ts";
import { adminUserImportRoutes } from "./api/native/admin/user-imports.ts";
import { adminUserRoutes } from "./api/native/admin/users.ts";
import { adminSamlClientRoutes } from "./api/native/admin/saml-clients.ts";
import { adminScimTokenRoutes } from "./api/native/admin/scim-tokens.ts";
import { adminInitialAccessTokenRoutes } from "./api/native/admin/initial-access-tokens.ts";
import { adminWebhookRoutes } from "./api/native/admin/webhooks.ts";
import { adminTaskRoutes, adminTaskRunRoutes } from "./api/native/admin/tasks.ts";
import { adminTrustedIssuerRoutes } from "./api/native/admin/trusted-issuers.ts";
import { complianceRoutes } from "./api/native/compliance.ts";
import { meApiKeyRoutes } from "./api/native/me-api-keys.ts";
import { meAccountRoutes } from "./api/native/me-account.ts";
import { meGrantRoutes } from "./api/native/me-grants.ts";
import { meExternalAccountRoutes } from "./api/native/me-external-accounts.ts";
import { mePhoneRoutes } from "./api/native/me-phones.ts";
import { meUpstreamTokenRoutes } from "./api/native/me-upstream-tokens.ts";
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
import { samlProviderRoutes } from "./api/saml/providers.ts";
import { scimRoutes } from "./api/scim/routes.ts";
import type { Deps } from "./deps.ts";
import { errorHandling } from "./http/errors.ts";
import { methodRefusal } from "./http/method-not-allowed.ts";
import type { Metrics } from "./http/metrics.ts";
import type { Limiter } from "./http/rate-limit/limiter.ts";
import { rateLimiting } from "./http/rate-limit/plugin.ts";
import type { QueueHealth } from "./queue/health.ts";
import { securityExternalAccountRoutes } from "./web/account/security-external-accounts.routes.ts";
import { accountAccessRoutes } from "./web/account/account-access.routes.ts";
import { accountRoutes } from "./web/account/account.routes.ts";
import { assetRoutes } from "./web/assets.routes.ts";
import { authorizeRoutes } from "./web/oauth/authorize.routes.ts";
import { consentRoutes } from "./web/oauth/consent.routes.ts";
import { deviceRoutes } from "./web/oauth/device.routes.ts";
import { enrollRoutes } from "./web/sign-in/enroll.routes.ts";
import { errorPage } from "./web/error-page.ts";
import { impersonationRoutes } from "./web/impersonation/impersonation.routes.ts";
import { linkRoutes } from "./web/account/links.routes.ts";
import { logoutRoutes } from "./web/oauth/logout.routes.ts";
import { magicLinkRoutes } from "./web/sign-in/magic-link.routes.ts";
import { mailboxRoutes } from "./web/mailbox.routes.ts";
import { passkeySignInRoutes } from "./web/sign-in/passkey-sign-in.routes.ts";
import { passkeySignUpRoutes } from "./web/sign-up/passkey-sign-up.routes.ts";
import { passwordlessPageRoutes } from "./web/sign-in/passwordless.routes.ts";
import { recoveryRoutes } from "./web/sign-in/recovery.routes.ts";
import { samlIdpRoutes } from "./web/saml/idp-sso.routes.ts";
import { samlSharedRoutes } from "./web/saml/shared.routes.ts";
import { samlSpRoutes } from "./web/saml/sp.routes.ts";
import { securityAccountRoutes } from "./web/account/security-account.routes.ts";
import { securityApiKeyRoutes } from "./web/account/security-api-keys.routes.ts";
import { securityPasskeyRoutes } from "./web/account/security-passkeys.routes.ts";
import { securityTotpRoutes } from "./web/account/security-totp.routes.ts";
import { securityRoutes } from "./web/account/security.routes.ts";
import { selectAccountRoutes } from "./web/oauth/select-account.routes.ts";
import { signInRoutes } from "./web/sign-in/sign-in.routes.ts";
import { signUpRoutes } from "./web/sign-up/sign-up.routes.ts";
import { connectRoutes } from "./web/federation/connect.routes.ts";
import { socialRoutes } from "./web/federation/social.routes.ts";
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
    docsRoutes(deps, () => app.routes),
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
    meExternalAccountRoutes(deps),
    mePhoneRoutes(deps),
    meSessionRoutes(deps),
    meUpstreamTokenRoutes(deps),
    meGrantRoutes(deps),
    meApiKeyRoutes(deps),
    adminServiceAccountRoutes(deps),
    adminApiKeyRoutes(deps),
    adminImpersonationRoutes(deps),
    adminClientRoutes(deps),
    adminConnectionRoutes(deps),
    adminAuditEventRoutes(deps),
    complianceRoutes(deps),
    adminUserRoutes(deps),
    adminUserImportRoutes(deps),
    adminUserExportRoutes(deps),
    adminUserAccessRoutes(deps),
    adminUserExternalAccountRoutes(deps),
    adminStatsRoutes(deps),
    adminOrganizationRoutes(deps),
    adminOrganizationConfigurationRoutes(deps),
    adminRoleRoutes(deps),
    adminGroupRoutes(deps),
    adminInitialAccessTokenRoutes(deps),
    adminTrustedIssuerRoutes(deps),
    adminSamlClientRoutes(deps),
    samlProviderRoutes(deps),
    scimRoutes(deps),
    authnScimRoutes(deps),
    adminScimTokenRoutes(deps),
    adminGroupRoleRoutes(deps),
    adminWebhookRoutes(deps),
    adminTaskRoutes(deps),
    adminTaskRunRoutes(deps),
    assetRoutes,
    accountRoutes(deps),
    accountAccessRoutes(deps),
    authorizeRoutes(deps),
    consentRoutes(deps),
    deviceRoutes(deps),
    selectAccountRoutes(deps),
    samlIdpRoutes(deps),
    samlSharedRoutes(deps),
    logoutRoutes(deps),
    samlSpRoutes(deps),
    signInRoutes(deps),
    passkeySignInRoutes(deps),
    socialRoutes(deps),
    connectRoutes(deps),
    securityExternalAccountRoutes(deps),
    verifyRoutes(deps),
    enrollRoutes(deps),
    stepUpRoutes(deps),
    securityRoutes(deps),
    securityTotpRoutes(deps),
    securityPasskeyRoutes(deps),
    securityApiKeyRoutes(deps),
    securityAccountRoutes(deps),
    signUpRoutes(deps),
    passkeySignUpRoutes(deps),
    passwordlessPageRoutes(deps),
    magicLinkRoutes(deps),
    linkRoutes(deps),
    impersonationRoutes(deps),
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
