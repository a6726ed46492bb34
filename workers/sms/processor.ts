/** The queue `sms`. A job for nobody, or for a code that is over, ends quietly. */
import type { Deps } from "../../src/deps.ts";
import { keepMessage } from "../../src/domain/mailbox/service.ts";
import { findPhone } from "../../src/domain/phones/service.ts";
import { codeOf, findSendableProof } from "../../src/domain/proofs/service.ts";
import { findTenantById } from "../../src/domain/tenants/service.ts";
import { findUserById } from "../../src/domain/users/service.ts";
import { isId } from "../../src/lib/ids.ts";
import { negotiateLocale } from "../../src/lib/locale.ts";
import type { JobProcessor } from "../../src/queue/worker-handle.ts";
import type { SmsDriver } from "../../src/sms/driver.ts";
import { codeMessage } from "../../src/sms/messages.ts";
import { createTenantProcessor } from "../processor.ts";

/** @param driver undefined keeps messages in the development mailbox, unless none are to be sent at all. */
export function createSmsProcessor(deps: Deps, driver: SmsDriver | undefined): JobProcessor {
  return createTenantProcessor(deps, "sms", {
    async code({ id: jobId, tenantId, payload }, tx) {
      const { proof_id, locale } = payload;
      const now = deps.clock.now();
      const tenant = await findTenantById(deps, tenantId);
      const proof = isId("proof", proof_id)
        ? await findSendableProof(tx, tenantId, proof_id, now)
        : undefined;
      if (!tenant || !proof?.phoneId || deps.config.sms.driver === "off") return undefined;
      const { userId, phoneId } = proof;
      const phone = await findPhone(tx, { tenantId, userId }, phoneId);
      const user = await findUserById(deps, tenantId, userId);
      if (!phone || !user?.enabled) return undefined;
      const text = codeMessage(negotiateLocale({ uiLocales: locale ?? user.locale ?? undefined }), {
        code: codeOf(deps, proof.kind, proof.id),
        tenantName: tenant.name,
        minutes: Math.max(1, Math.floor((proof.expiresAt.getTime() - now.getTime()) / 60_000)),
      });
      if (driver) return () => driver.send({ jobId, to: phone.number, text });
      const html = `<p>${Bun.escapeHTML(text)}</p>`;
      await keepMessage(tx, { tenantId, jobId, to: phone.number, subject: "SMS", text, html, now });
      return undefined;
    },
  });
}
