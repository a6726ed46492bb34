/** Mails that sign people in. */
import type { Executor } from "../../src/db/client.ts";
import type { Deps } from "../../src/deps.ts";
import { codeOf, findSendableProof, linkTokenOf } from "../../src/domain/proofs/service.ts";
import { isId } from "../../src/lib/ids.ts";
import type { MailDriver } from "../../src/mail/driver.ts";
import type { TenantJob } from "../processor.ts";
import { createMailHandlers, personData } from "./handler.ts";

type OfProof = TenantJob<{ proof_id: string }>;

export function signInMails(deps: Deps, driver: MailDriver | undefined) {
  const mail = createMailHandlers(deps, driver);
  return {
    magic_link: mail("magic_link", async ({ job, tx, issuer, recipient }) => {
      const proof = await proofOf(deps, tx, job);
      if (!proof) return undefined;
      const link = `${issuer}/signin/link?token=${linkTokenOf(deps, proof.id)}`;
      return { ...personData(recipient, link), expiresInSeconds: secondsLeft(deps, proof.expiresAt) };
    }),
    email_code: mail("email_code", async ({ job, tx, recipient }) => {
      const proof = await proofOf(deps, tx, job);
      if (!proof) return undefined;
      return {
        name: recipient.givenName ?? undefined,
        code: codeOf(deps, proof.kind, proof.id),
        expiresInSeconds: secondsLeft(deps, proof.expiresAt),
      };
    }),
  };
}

async function proofOf(deps: Deps, tx: Executor, { tenantId, payload }: OfProof) {
  const { proof_id } = payload;
  return isId("proof", proof_id) ? findSendableProof(tx, tenantId, proof_id, deps.clock.now()) : undefined;
}

const secondsLeft = (deps: Deps, until: Date) =>
  Math.floor((until.getTime() - deps.clock.now().getTime()) / 1000);
