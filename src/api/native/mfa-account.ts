/** A user's factors at a glance, backup codes, trusted devices, and proving again who one is. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { stepUpByFactor, stepUpByPassword } from "../../domain/accounts/step-up.ts";
import { countBackupCodes } from "../../domain/mfa/backup-codes/service.ts";
import { needToChangeFactors, regenerateBackupCodes } from "../../domain/mfa/factors.ts";
import { codeProver } from "../../domain/mfa/second-factor.ts";
import { listTotpDevices } from "../../domain/mfa/totp/service.ts";
import { forgetTrustedDevices, listTrustedDevices } from "../../domain/mfa/trusted-devices/service.ts";
import { listPasskeys } from "../../domain/passkeys/service.ts";
import { requireFreshAuthentication } from "../../domain/sessions/fresh.ts";
import { jsonBody, optionalJsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse } from "../../http/models.ts";
import { validationError } from "../../lib/errors.ts";
import * as models from "./mfa-models.ts";
import { factorScope, requireSessionId } from "./mfa-scope.ts";
import { Nothing } from "./models.ts";
import { noStore } from "./no-store.ts";

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };

const factors = (deps: Deps) =>
  new Elysia({ name: "native-mfa-factors", detail: { tags: ["MFA"], security: bearerAuth } })
    .use(factorScope(deps))
    .get(
      "/mfa/factors",
      async ({ user }) => {
        const [totp, passkeys, backupCodes] = await Promise.all([
          listTotpDevices(deps, user),
          listPasskeys(deps, user),
          countBackupCodes(deps.db, { tenantId: user.tenantId, userId: user.id }),
        ]);
        return models.factorsResponse(totp, passkeys, backupCodes);
      },
      { response: { 200: models.FactorsResponse, ...errors }, detail: { summary: "The user's factors" } },
    )
    .post(
      "/mfa/backup-codes/regenerate",
      async ({ tenant, user, access, context, set }) => {
        Object.assign(set.headers, noStore);
        const need = await needToChangeFactors(deps, tenant, user);
        await requireFreshAuthentication(deps, tenant.id, access, need);
        return { backup_codes: await regenerateBackupCodes(deps, tenant, user, context) };
      },
      {
        parse: optionalJsonBody,
        response: { 200: models.BackupCodesResponse, ...errors, 409: ErrorResponse },
        detail: {
          summary: "New backup codes",
          description:
            "The ones before are good no more. Needs a sign-in of the last 15 minutes with a second factor: else 401 `insufficient_user_authentication` (RFC 9470).",
        },
      },
    )
    .post(
      "/mfa/step-up",
      async ({ body, tenant, user, access, context, set }) => {
        Object.assign(set.headers, noStore);
        const owner = { user, sessionId: requireSessionId(access) };
        const { code, password } = body;
        if (code !== undefined) {
          const prover = codeProver(code);
          return models.stepUpResponse(await stepUpByFactor(deps, tenant, owner, prover, context));
        }
        if (password === undefined)
          throw validationError([{ field: "code", message: "Is required, or a password." }]);
        return models.stepUpResponse(await stepUpByPassword(deps, tenant, owner, password, context));
      },
      {
        parse: jsonBody,
        body: models.StepUpRequest,
        response: { 200: models.StepUpResponse, ...errors, 422: ErrorResponse },
        detail: {
          summary: "Prove again who you are, within a session",
          description:
            "With a code, or with the password for who has no second factor. Access tokens tell of it from the next refresh on; this server's own routes know at once.",
        },
      },
    );

const devices = (deps: Deps) =>
  new Elysia({ name: "native-trusted-devices", detail: { tags: ["MFA"], security: bearerAuth } })
    .use(factorScope(deps))
    .get(
      "/mfa/trusted-devices",
      async ({ user }) => ({
        devices: (await listTrustedDevices(deps, user)).map(models.trustedDeviceResponse),
      }),
      {
        response: { 200: models.TrustedDevicesResponse, ...errors },
        detail: {
          summary: "Devices that are asked for no second factor",
          description: "The newest first. A changed password or a removed factor forgets them all.",
        },
      },
    )
    .delete(
      "/mfa/trusted-devices/:id",
      async ({ params, user, context, status }) => {
        await forgetTrustedDevices(deps, user, params.id, context);
        return status(204, undefined);
      },
      {
        params: t.Object({ id: t.String({ maxLength: 64 }) }),
        response: { 204: Nothing, ...errors },
        detail: { summary: "Forget a trusted device" },
      },
    )
    .delete(
      "/mfa/trusted-devices",
      async ({ user, context, status }) => {
        await forgetTrustedDevices(deps, user, undefined, context);
        return status(204, undefined);
      },
      { response: { 204: Nothing, ...errors }, detail: { summary: "Forget all trusted devices" } },
    );

export const mfaAccountRoutes = (deps: Deps) =>
  new Elysia({ name: "native-mfa-account" }).use(factors(deps)).use(devices(deps));
