/** Mails about changes to an account. */
import type { Executor } from "../../src/db/client.ts";
import type { Deps } from "../../src/deps.ts";
import {
  CANCEL_DELETION_PURPOSE,
  clearFarewell,
  findDeletion,
  findOpenDeletion,
} from "../../src/domain/accounts/deletion.ts";
import {
  type EmailChange,
  type EmailConsent,
  emailChangePurpose,
  findChange,
} from "../../src/domain/accounts/email-change.ts";
import { describeImpersonation } from "../../src/domain/impersonation/service.ts";
import { findUserByEmail } from "../../src/domain/users/service.ts";
import { deriveToken } from "../../src/lib/derived-token.ts";
import { isId } from "../../src/lib/ids.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import type { TenantJob } from "../processor.ts";
import { type Addressee, createMailHandler, createMailHandlers, personData, recipientOf } from "./handler.ts";

type OfChange = TenantJob<{ user_id: string; change_id: string }>;

export function accountMails(deps: Deps, driver: MailDriver | undefined) {
  const mail = createMailHandlers(deps, driver);
  return {
    password_changed: mail("password_changed", async ({ issuer, recipient }) =>
      personData(recipient, `${issuer}/account`),
    ),
    impersonated: mail("impersonated", async ({ job, issuer, recipient }) => {
      const { impersonation_id: id } = job.payload;
      const told = isId("impersonation", id) && (await describeImpersonation(deps, job.tenantId, id));
      if (!told) return undefined;
      const { openedAt: at, minutes, reason } = told;
      return { ...personData(recipient, `${issuer}/account`), at, minutes, reason };
    }),
    data_export_ready: mail("data_export_ready", async ({ issuer, recipient }) =>
      personData(recipient, `${issuer}/account`),
    ),
    account_deletion_requested: mail("account_deletion_requested", async ({ job, tx, issuer, recipient }) => {
      const { deletion_id } = job.payload;
      if (!isId("accountDeletion", deletion_id)) return undefined;
      const deletion = await findOpenDeletion(tx, job.tenantId, deletion_id);
      if (!deletion) return undefined;
      const token = deriveToken(deps.secrets.links, CANCEL_DELETION_PURPOSE, deletion.id);
      return { ...personData(recipient, `${issuer}/keep-account?token=${token}`), dueAt: deletion.dueAt };
    }),
    account_deleted: createMailHandler(deps, driver, "account_deleted", {
      recipient: farewellOf,
      compose: async ({ recipient }) => ({ name: recipient.givenName ?? undefined }),
      async sent(executor, { tenantId, payload: { deletion_id } }) {
        if (isId("accountDeletion", deletion_id)) await clearFarewell(executor, tenantId, deletion_id);
      },
    }),
    ...emailChangeMails(deps, driver),
  };
}

function emailChangeMails(deps: Deps, driver: MailDriver | undefined) {
  const mail = createMailHandlers(deps, driver);
  return {
    email_change_requested: mail("email_change_requested", async ({ job, tx, issuer, recipient }) => {
      const change = await waitingChange(deps, tx, job, "approve");
      if (!change) return undefined;
      const data = consentData(deps, issuer, recipient, change, "approve");
      return { ...data, newAddress: change.newAddress };
    }),
    confirm_new_email: createMailHandler(deps, driver, "confirm_new_email", {
      async recipient(tx, job) {
        const user = await recipientOf(tx, job);
        const change = await waitingChange(deps, tx, job, "confirm");
        if (!user || !change) return undefined;
        const owner = await findUserByEmail(deps, job.tenantId, change.newAddress);
        // Whoever has an account with this address has no need to read that somebody else would like it.
        if (owner && owner.id !== user.userId) return undefined;
        return { address: change.newAddress, givenName: user.givenName, locale: user.locale, change };
      },
      compose: async ({ issuer, recipient }) =>
        consentData(deps, issuer, recipient, recipient.change, "confirm"),
    }),
    email_changed: createMailHandler(deps, driver, "email_changed", {
      async recipient(tx, job) {
        const user = await recipientOf(tx, job);
        const change = await changeOf(tx, job);
        const address = job.payload.to === "old" ? change?.oldAddress : change?.newAddress;
        return user && change && address
          ? { address, givenName: user.givenName, locale: user.locale, change }
          : undefined;
      },
      compose: async ({ issuer, recipient }) => ({
        ...personData(recipient, `${issuer}/account`),
        newAddress: recipient.change.newAddress,
      }),
    }),
  };
}

async function changeOf(tx: Executor, { tenantId, payload }: OfChange): Promise<EmailChange | undefined> {
  const { change_id } = payload;
  return isId("emailChange", change_id) ? findChange(tx, tenantId, change_id) : undefined;
}

/** The change, while it waits for this consent. */
async function waitingChange(
  deps: Deps,
  tx: Executor,
  job: OfChange,
  consent: EmailConsent,
): Promise<EmailChange | undefined> {
  const change = await changeOf(tx, job);
  const given = consent === "approve" ? change?.approvedAt : change?.confirmedAt;
  const over = !change || change.completedAt || change.cancelledAt || change.expiresAt <= deps.clock.now();
  return over || given ? undefined : change;
}

function consentData(
  deps: Deps,
  issuer: string,
  recipient: Addressee,
  change: EmailChange,
  consent: EmailConsent,
) {
  const token = deriveToken(deps.secrets.links, emailChangePurpose(consent), change.id);
  const left = change.expiresAt.getTime() - deps.clock.now().getTime();
  return {
    ...personData(recipient, `${issuer}/email-change/${consent}?token=${token}`),
    expiresInSeconds: Math.floor(left / 1000),
  };
}

/** The user is gone by now; where the last mail goes is kept until it is sent. */
async function farewellOf(
  tx: Executor,
  { tenantId, payload }: TenantJob<{ deletion_id: string }>,
): Promise<Addressee | undefined> {
  const { deletion_id } = payload;
  const deletion = isId("accountDeletion", deletion_id)
    ? await findDeletion(tx, tenantId, deletion_id)
    : undefined;
  const farewell = deletion?.farewell;
  return farewell
    ? { address: farewell.address, givenName: farewell.name, locale: farewell.locale }
    : undefined;
}
