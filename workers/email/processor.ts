/**
 * The queue `email`. Payloads name a user and an address; the rest, links above all, is found out or made here. A job
 * whose user or address is gone, or which has nothing to say any more, ends quietly.
 */
import type { Executor } from "../../src/db/client.ts";
import type { Deps } from "../../src/deps.ts";
import {
  challengeLifetimeSeconds,
  type ChallengeKind,
  openLinkChallenge,
} from "../../src/domain/challenges/service.ts";
import { isAccountLocked } from "../../src/domain/protection/service.ts";
import { findSignIn } from "../../src/domain/sessions/service.ts";
import type { Recipient } from "../../src/domain/users/service.ts";
import { type Id, idFromUuid, isId, uuidFromId } from "../../src/lib/ids.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import { createTenantProcessor, type TenantJob } from "../processor.ts";
import { accountMails } from "./account-mails.ts";
import { administratorMails } from "./administrator-mails.ts";
import { createMailHandlers, personData } from "./handler.ts";
import { signInMails } from "./sign-in-mails.ts";
import { webhookMails } from "./webhook-mails.ts";
import { describeDevice } from "../../src/lib/device.ts";

/** @param driver undefined keeps messages in the development mailbox instead of sending them. */
export function createEmailProcessor(deps: Deps, driver: MailDriver | undefined): JobProcessor {
  const mail = createMailHandlers(deps, driver);
  return createTenantProcessor(deps, "email", {
    ...accountMails(deps, driver),
    ...signInMails(deps, driver),
    ...webhookMails(deps, driver),
    ...administratorMails(deps, driver),
    verify_email: mail("verify_email", async ({ job, tx, issuer, recipient }) => {
      if (recipient.verified) return undefined;
      const token = await openLink(deps, tx, "verify_email", job, recipient);
      return tokenData(recipient, "verify_email", `${issuer}/verify-email?token=${token}`);
    }),
    reset_password: mail("reset_password", async ({ job, tx, issuer, recipient }) => {
      const token = await openLink(deps, tx, "reset_password", job, recipient);
      return tokenData(recipient, "reset_password", `${issuer}/reset-password?token=${token}`);
    }),
    unlock_account: mail("unlock_account", async ({ job, tx, tenant, issuer, recipient }) => {
      if (!(await isAccountLocked(tx, tenant.id, recipient.userId, deps.clock.now()))) return undefined;
      const token = await openLink(deps, tx, "unlock_account", job, recipient);
      return tokenData(recipient, "unlock_account", `${issuer}/unlock?token=${token}`);
    }),
    welcome: mail("welcome", async ({ issuer, recipient }) => personData(recipient, `${issuer}/`)),
    new_sign_in: mail("new_sign_in", async ({ job, tx, tenant, issuer, recipient }) => {
      const { session_id } = job.payload;
      if (!isId("session", session_id)) return undefined;
      const signIn = await findSignIn(tx, tenant.id, recipient.userId, session_id);
      if (!signIn) return undefined;
      return {
        ...personData(recipient, `${issuer}/`),
        at: signIn.at,
        ipAddress: signIn.ip ?? undefined,
        device: describeDevice(signIn.userAgent),
      };
    }),
    factor_added: mail("factor_added", async ({ job, issuer, recipient }) =>
      factorData(job, issuer, recipient),
    ),
    factor_removed: mail("factor_removed", async ({ job, issuer, recipient }) =>
      factorData(job, issuer, recipient),
    ),
    already_registered: mail("already_registered", async ({ issuer, recipient }) =>
      personData(recipient, `${issuer}/signin`),
    ),
  });
}

/** The challenge has the outbox row's uuid: whoever tries the job again opens the same link. */
function openLink(
  deps: Deps,
  tx: Executor,
  kind: ChallengeKind,
  job: TenantJob<unknown>,
  recipient: Recipient,
): Promise<string> {
  return openLinkChallenge(tx, {
    tenantId: job.tenantId,
    id: challengeIdOf(job.id),
    kind,
    userId: recipient.userId,
    data: { email_id: recipient.emailId },
    linkKeys: deps.secrets.links,
    now: deps.clock.now(),
  });
}

function challengeIdOf(jobId: string): Id<"challenge"> {
  return idFromUuid("challenge", uuidFromId("outbox", jobId.replace(/^outbox-/, "")));
}

const factorData = (
  { payload }: TenantJob<{ method: "totp" | "webauthn" | "sms_code"; name: string }>,
  issuer: string,
  recipient: Recipient,
) => ({
  ...personData(recipient, `${issuer}/`),
  method: payload.method,
  factorName: payload.name,
});

const tokenData = (recipient: Recipient, kind: ChallengeKind, link: string) => ({
  ...personData(recipient, link),
  expiresInSeconds: challengeLifetimeSeconds[kind],
});
