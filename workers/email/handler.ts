/** What all jobs of the queue `email` go through: whom a mail goes to, its words in their language, its way out. */
import type { Executor } from "../../src/db/client.ts";
import type { Deps } from "../../src/deps.ts";
import { keepMessage } from "../../src/domain/mailbox/service.ts";
import { findTenantById, issuerOf, type Tenant } from "../../src/domain/tenants/service.ts";
import { findRecipient, type Recipient } from "../../src/domain/users/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { negotiateLocale } from "../../src/lib/locale.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import { type MailData, type MailTemplate, renderMail } from "../../src/mail/templates/render-mail.ts";
import type { JobPayload } from "../../src/queue/contracts.ts";
import type { OutsideEffect, TenantJob, TenantJobHandler } from "../processor.ts";

/** What is needed of whoever a mail goes to. */
export type Addressee = Pick<Recipient, "address" | "givenName" | "locale">;

type Job<Name extends MailTemplate> = TenantJob<JobPayload<"email", Name>>;

export interface LetterParts<Name extends MailTemplate, To extends Addressee> {
  /** Whom it goes to; undefined when there is nobody (any more). */
  recipient: (tx: Executor, job: Job<Name>) => Promise<To | undefined>;
  /** A letter's data, once it is known whom it goes to; undefined when there is no need to send it. */
  compose: (letter: {
    job: Job<Name>;
    tx: Executor;
    tenant: Tenant;
    issuer: string;
    recipient: To;
  }) => Promise<MailData[Name] | undefined>;
  /** What is to be done when it is sent. May be done twice. */
  sent?: (executor: Executor, job: Job<Name>) => Promise<void>;
}

export type Compose<Name extends MailTemplate> = LetterParts<Name, Recipient>["compose"];

/** Makes the handlers of mails: `mail(name, compose)` for those that go to the user whom the payload names. */
export function createMailHandlers(deps: Deps, driver: MailDriver | undefined) {
  return <Name extends MailTemplate>(name: Name, compose: Compose<Name>) =>
    createMailHandler(deps, driver, name, { recipient: recipientOf, compose });
}

export function createMailHandler<Name extends MailTemplate, To extends Addressee>(
  deps: Deps,
  driver: MailDriver | undefined,
  name: Name,
  { recipient: find, compose, sent }: LetterParts<Name, To>,
): TenantJobHandler<JobPayload<"email", Name>> {
  return async (job, tx) => {
    const tenant = await findTenantById(deps, job.tenantId);
    const recipient = await find(tx, job);
    if (!tenant || !recipient) return undefined;
    const issuer = issuerOf(tenant, deps.config.publicUrl);
    const data = await compose({ job, tx, tenant, issuer, recipient });
    if (!data) return undefined;
    const locale = negotiateLocale({ uiLocales: job.payload.locale ?? recipient.locale ?? undefined });
    const content = renderMail(name, data, { locale, tenantName: tenant.name });
    const outside = await deliver(deps, driver, tx, job, { to: recipient.address, ...content });
    if (!outside) {
      await sent?.(tx, job);
      return undefined;
    }
    return async () => {
      await outside();
      await sent?.(deps.db, job);
    };
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

/** The user whom the payload names, by the address it names or the primary one. */
export async function recipientOf(
  tx: Executor,
  job: TenantJob<{ user_id: string }>,
): Promise<Recipient | undefined> {
  const { payload } = job;
  if (!isId("user", payload.user_id)) return undefined;
  if (!("email_id" in payload)) return findRecipient(tx, job.tenantId, payload.user_id);
  const { email_id } = payload;
  return isId("email", email_id) ? findRecipient(tx, job.tenantId, payload.user_id, email_id) : undefined;
}

export const personData = (recipient: Addressee, link: string) => ({
  name: recipient.givenName ?? undefined,
  link,
});
