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
import { keepMessage } from "../../src/domain/mailbox/service.ts";
import { findSignIn } from "../../src/domain/sessions/service.ts";
import { findTenantById, issuerOf, type Tenant } from "../../src/domain/tenants/service.ts";
import { findRecipient, type Recipient } from "../../src/domain/users/service.ts";
import { type Id, idFromUuid, isId, uuidFromId } from "../../src/lib/ids.ts";
import { negotiateLocale } from "../../src/lib/locale.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import { type MailData, type MailTemplate, renderMail } from "../../src/mail/templates/render-mail.ts";
import type { JobPayload } from "../../src/queue/contracts.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import {
  createTenantProcessor,
  type OutsideEffect,
  type TenantJob,
  type TenantJobHandler,
} from "../processor.ts";
import { describeDevice } from "./device.ts";

/** A letter's data, once it is known whom it goes to; undefined when there is no need to send it. */
type Compose<Name extends MailTemplate> = (letter: {
  job: TenantJob<JobPayload<"email", Name>>;
  tx: Executor;
  tenant: Tenant;
  issuer: string;
  recipient: Recipient;
}) => Promise<MailData[Name] | undefined>;

/** @param driver undefined keeps messages in the development mailbox instead of sending them. */
export function createEmailProcessor(deps: Deps, driver: MailDriver | undefined): JobProcessor {
  const mail = <Name extends MailTemplate>(name: Name, compose: Compose<Name>) =>
    createMailHandler(deps, driver, name, compose);
  return createTenantProcessor(deps, "email", {
    verify_email: mail("verify_email", async ({ job, tx, issuer, recipient }) => {
      if (recipient.verified) return undefined;
      const token = await openLink(deps, tx, "verify_email", job, recipient);
      return tokenData(recipient, "verify_email", `${issuer}/verify-email?token=${token}`);
    }),
    reset_password: mail("reset_password", async ({ job, tx, issuer, recipient }) => {
      const token = await openLink(deps, tx, "reset_password", job, recipient);
      return tokenData(recipient, "reset_password", `${issuer}/reset-password?token=${token}`);
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
    already_registered: mail("already_registered", async ({ issuer, recipient }) =>
      personData(recipient, `${issuer}/signin`),
    ),
  });
}

function createMailHandler<Name extends MailTemplate>(
  deps: Deps,
  driver: MailDriver | undefined,
  name: Name,
  compose: Compose<Name>,
): TenantJobHandler<JobPayload<"email", Name>> {
  return async (job, tx) => {
    const tenant = await findTenantById(deps, job.tenantId);
    const recipient = await recipientOf(tx, job);
    if (!tenant || !recipient) return undefined;
    const issuer = issuerOf(tenant, deps.config.publicUrl);
    const data = await compose({ job, tx, tenant, issuer, recipient });
    if (!data) return undefined;
    const locale = negotiateLocale({ uiLocales: job.payload.locale ?? recipient.locale ?? undefined });
    const content = renderMail(name, data, { locale, tenantName: tenant.name });
    return deliver(deps, driver, tx, job, { to: recipient.address, ...content });
  };
}

async function deliver(
  deps: Deps,
  driver: MailDriver | undefined,
  tx: Executor,
  job: TenantJob<unknown>,
  message: { to: string; subject: string; text: string; html: string },
): Promise<OutsideEffect | undefined> {
  if (driver) return () => driver.send({ ...message, jobId: job.id, from: deps.config.mail.from });
  await keepMessage(tx, { ...message, tenantId: job.tenantId, jobId: job.id, now: deps.clock.now() });
  return undefined;
}

async function recipientOf(
  tx: Executor,
  job: TenantJob<JobPayload<"email", MailTemplate>>,
): Promise<Recipient | undefined> {
  const { user_id } = job.payload;
  if (!isId("user", user_id)) return undefined;
  if (!("email_id" in job.payload)) return findRecipient(tx, job.tenantId, user_id);
  const { email_id } = job.payload;
  return isId("email", email_id) ? findRecipient(tx, job.tenantId, user_id, email_id) : undefined;
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
    linkKey: deps.secrets.links,
    now: deps.clock.now(),
  });
}

function challengeIdOf(jobId: string): Id<"challenge"> {
  return idFromUuid("challenge", uuidFromId("outbox", jobId.replace(/^outbox-/, "")));
}

const personData = (recipient: Recipient, link: string) => ({ name: recipient.givenName ?? undefined, link });

const tokenData = (recipient: Recipient, kind: ChallengeKind, link: string) => ({
  ...personData(recipient, link),
  expiresInSeconds: challengeLifetimeSeconds[kind],
});
