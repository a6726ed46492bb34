/** Mails about webhooks. */
import type { Deps } from "../../src/deps.ts";
import { requireWebhook } from "../../src/domain/webhooks/service.ts";
import { AppError } from "../../src/lib/errors.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import { createMailHandlers, personData } from "./handler.ts";

export function webhookMails(deps: Deps, driver: MailDriver | undefined) {
  const mail = createMailHandlers(deps, driver);
  return {
    webhook_disabled: mail("webhook_disabled", async ({ job, tenant, issuer, recipient }) => {
      const webhook = await requireWebhook(deps, tenant.id, job.payload.webhook_id).catch(
        (error: unknown) => {
          if (error instanceof AppError) return undefined;
          throw error;
        },
      );
      // Deleted, or enabled again, before anybody came to read of it.
      if (!webhook || webhook.enabled) return undefined;
      return { ...personData(recipient, `${issuer}/`), host: URL.parse(webhook.url)?.host ?? "" };
    }),
  };
}
