/** The security page, and what is done on it at once. */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { cancelEmailChange, findPendingEmailChange } from "../../domain/accounts/email-change.ts";
import { findNewestExport } from "../../domain/data-exports/service.ts";
import { countBackupCodes } from "../../domain/mfa/backup-codes/service.ts";
import { regenerateBackupCodes } from "../../domain/mfa/factors.ts";
import { hasSecondFactor, policyOf } from "../../domain/mfa/policy.ts";
import { listTotpDevices, type TotpDevice } from "../../domain/mfa/totp/service.ts";
import {
  forgetTrustedDevices,
  listTrustedDevices,
  type TrustedDevice,
} from "../../domain/mfa/trusted-devices/service.ts";
import { listPasskeys, type Passkey } from "../../domain/passkeys/service.ts";
import { findPasswordHash } from "../../domain/passwords/service.ts";
import { deviceOf } from "../../lib/device.ts";
import { AppError } from "../../lib/errors.ts";
import { parseSecretToken } from "../../lib/secret-token.ts";
import { authenticatorName } from "../../protocol/webauthn/authenticator-names.ts";
import { expireCookie } from "../cookies.ts";
import type { FactorView, PasskeyView, TrustedDeviceView } from "../components/security-lists.tsx";
import {
  deviceTokenOf,
  linkTo,
  type PageRequest,
  pageScope,
  respondWithPage,
  shellOf,
  trustedDeviceCookieOf,
} from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import { renderBackupCodes } from "../pages/enroll.tsx";
import { renderSecurity, type SecurityNotice, type SecurityProblem } from "../pages/security.tsx";
import { renderRegenerateCodes } from "../pages/security-forms.tsx";
import { externalAccountsOf } from "./security-external-accounts.routes.ts";
import { apiKeyViews, newApiKeyUrl, REVOKE_KEY_PATH } from "./security-api-keys.routes.ts";
import { backToSecurity, openPage, SECURITY_PATH, type SecurityVisit, takeForm } from "./security-scope.ts";

const CODES_PATH = `${SECURITY_PATH}/backup-codes`;

export const securityRoutes = (deps: Deps) =>
  new Elysia({ name: "web-security" })
    .use(pageScope(deps))
    .get(SECURITY_PATH, ({ page }) => openPage(deps, page, (visit) => showSecurity(deps, page, visit)), {
      response: pageResponses,
      detail: pageDetail("Security page of the account"),
    })
    .post(
      `${SECURITY_PATH}/devices/forget`,
      ({ page, body }) =>
        takeForm(deps, page, body, async ({ session }, field) => {
          try {
            const id = field("device_id") || undefined;
            await forgetTrustedDevices(deps, session.user, id, page.context);
          } catch (error) {
            // It ended by itself since the page was shown: what the person wanted is so.
            if (!(error instanceof AppError) || error.status !== 404) throw error;
          }
          return withoutOwnDevice(deps, page, backToSecurity(page, { notice: "devices_forgotten" }), session);
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Trust a device no more, or none of them") },
    )
    .get(
      CODES_PATH,
      ({ page }) =>
        openPage(
          deps,
          page,
          ({ form }) => {
            const props = { form: form(CODES_PATH), backUrl: linkTo(page, SECURITY_PATH) };
            return respondWithPage(deps, page, renderRegenerateCodes(shellOf(page), props));
          },
          CODES_PATH,
        ),
      { response: pageResponses, detail: pageDetail("Page that makes new backup codes") },
    )
    .post(
      CODES_PATH,
      ({ page, body }) =>
        takeForm(
          deps,
          page,
          body,
          async ({ session }) => {
            const codes = await regenerateBackupCodes(deps, page.tenant, session.user, page.context);
            const html = renderBackupCodes(shellOf(page), { codes, nextUrl: linkTo(page, SECURITY_PATH) });
            return respondWithPage(deps, page, html, { withScript: true });
          },
          CODES_PATH,
        ),
      {
        ...pageForm,
        response: { ...pageResponses, 409: pageResponses[400] },
        detail: formDetail("Make new backup codes, which are shown once"),
      },
    )
    .post(
      `${SECURITY_PATH}/email/cancel`,
      ({ page, body }) =>
        takeForm(deps, page, body, async ({ session }) => {
          try {
            await cancelEmailChange(deps, session.user, page.context);
          } catch (error) {
            if (!(error instanceof AppError) || error.status !== 404) throw error;
          }
          return backToSecurity(page, { notice: "email_change_cancelled" });
        }),
      { ...pageForm, response: pageResponses, detail: formDetail("Call a change of address off") },
    );

/** Whatever the page may be told by the form before it. */
const NOTICES: readonly SecurityNotice[] = [
  "factor_added",
  "factor_removed",
  "renamed",
  "devices_forgotten",
  "password_changed",
  "email_change_requested",
  "email_change_cancelled",
  "export_requested",
  "api_key_revoked",
  "account_connected",
  "account_disconnected",
];
const PROBLEMS: readonly SecurityProblem[] = ["last_factor", "last_sign_in_method", "not_possible"];

async function showSecurity(deps: Deps, page: PageRequest, visit: SecurityVisit): Promise<Response> {
  const { session, form } = visit;
  const { user } = session;
  const policy = policyOf(page.tenant);
  const [totp, passkeys, left, strong, devices, hash, change, copy, apiKeys, externalAccounts] =
    await Promise.all([
      listTotpDevices(deps, user),
      listPasskeys(deps, user),
      countBackupCodes(deps.db, { tenantId: user.tenantId, userId: user.id }),
      hasSecondFactor(deps, policy, user),
      listTrustedDevices(deps, user),
      findPasswordHash(deps.db, user.tenantId, user.id),
      findPendingEmailChange(deps, user),
      findNewestExport(deps, user),
      apiKeyViews(deps, page, session),
      externalAccountsOf(deps, page, visit),
    ]);
  const url = (path: string) => linkTo(page, SECURITY_PATH + path);
  const withTotp = policy.enforcement !== "off" && policy.methods.includes("totp");
  const withCodes = policy.enforcement !== "off" && policy.methods.includes("backup_code");
  const html = renderSecurity(shellOf(page), {
    notice: NOTICES.find((known) => known === page.query.get("notice")),
    problem: PROBLEMS.find((known) => known === page.query.get("problem")),
    accountUrl: linkTo(page, "/account"),
    email: user.email ?? undefined,
    pendingEmail: change?.newAddress,
    changeEmailUrl: url("/email"),
    cancelEmailChange: form(`${SECURITY_PATH}/email/cancel`),
    changePasswordUrl: hash === undefined ? undefined : url("/password"),
    passkeys: passkeys.map((passkey) => passkeyView(passkey, url(`/passkeys/${passkey.id}`))),
    addPasskeyUrl: policy.methods.includes("webauthn") ? url("/passkeys/new") : undefined,
    totp: totp.map((device) => factorView(device, url(`/totp/${device.id}`))),
    addTotpUrl: withTotp ? url("/totp/new") : undefined,
    backupCodes: withCodes ? { left, regenerateUrl: strong ? url("/backup-codes") : undefined } : undefined,
    devices: devices.map((device) => deviceView(device, ownDeviceId(page))),
    forgetDevice: form(`${SECURITY_PATH}/devices/forget`),
    externalAccounts,
    apiKeys: { keys: apiKeys, addUrl: newApiKeyUrl(page), revoke: form(REVOKE_KEY_PATH) },
    dataExport:
      copy && copy.status !== "expired"
        ? { status: copy.status, expiresAt: copy.expiresAt, downloadUrl: url("/export") }
        : undefined,
    requestExport: form(`${SECURITY_PATH}/export`),
    deleteUrl: page.tenant.settings.account_deletion_enabled ? url("/delete") : undefined,
  });
  return respondWithPage(deps, page, html);
}

export function factorView(factor: TotpDevice | Passkey, manageUrl: string): FactorView {
  const { name, createdAt, lastUsedAt } = factor;
  return { name, addedAt: createdAt, lastUsedAt: lastUsedAt ?? undefined, manageUrl };
}

function passkeyView(passkey: Passkey, manageUrl: string): PasskeyView {
  return {
    ...factorView(passkey, manageUrl),
    authenticator: authenticatorName(passkey.aaguid),
    synced: passkey.backupEligible,
  };
}

function deviceView(device: TrustedDevice, own: string | undefined): TrustedDeviceView {
  const { id, ip, userAgent, lastUsedAt, expiresAt } = device;
  return {
    id,
    device: deviceOf(userAgent),
    current: id === own,
    ipAddress: ip ?? undefined,
    lastUsedAt,
    expiresAt,
  };
}

function ownDeviceId(page: PageRequest): string | undefined {
  const token = deviceTokenOf(page);
  return token === undefined ? undefined : parseSecretToken("trustedDevice", token)?.id;
}

/** Takes the cookie away from a browser whose device is trusted no more. */
async function withoutOwnDevice(
  deps: Deps,
  page: PageRequest,
  response: Response,
  { user }: SecurityVisit["session"],
): Promise<Response> {
  const own = ownDeviceId(page);
  const devices = own === undefined ? [] : await listTrustedDevices(deps, user);
  if (own !== undefined && devices.every(({ id }) => id !== own))
    response.headers.append("set-cookie", expireCookie(trustedDeviceCookieOf(page.tenant)));
  return response;
}
