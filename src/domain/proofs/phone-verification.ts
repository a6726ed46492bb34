/** Making a phone number one's own, by a code that is texted to it. */
import type { Deps } from "../../deps.ts";
import { AppError, forbidden, notFound } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { findPhone, markPhoneVerified, notePhone, type Phone } from "../phones/service.ts";
import { beginAttempt } from "../protection/service.ts";
import type { RequestContext } from "../request-context.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import { sendPhoneCode } from "./issuing.ts";
import { MOST_ATTEMPTS } from "./model.ts";
import * as repo from "./repo.ts";
import { isCode } from "./service.ts";

/**
 * Notes a number and texts it a code, unless it is verified already.
 * @throws AppError 403 where no text messages are sent, 422 for what is no number, 409 when there are too many
 */
export async function addPhone(
  deps: Deps,
  user: User,
  number: string,
  context: RequestContext,
): Promise<Phone> {
  if (deps.config.sms.driver === "off") throw forbidden("No text messages are sent from here.");
  const phone = await notePhone(deps, user, number, context);
  if (!phone.verifiedAt) await sendPhoneCode(deps, user, phone, context);
  return phone;
}

/**
 * Takes the code that was texted to a number.
 * @throws AppError 404, for another person's number as for none; 422 for a wrong code; 409 when the number is somebody else's
 */
export async function verifyPhone(
  deps: Deps,
  tenant: Tenant,
  user: User,
  id: Id<"phone">,
  code: string,
  context: RequestContext,
): Promise<void> {
  const now = deps.clock.now();
  const phone = await findPhone(deps.db, { tenantId: tenant.id, userId: user.id }, id);
  if (!phone) throw notFound("There is no such phone number.");
  if (phone.verifiedAt) return;
  const of = { tenantId: tenant.id, userId: user.id, kind: "sms_code", purpose: "verify_phone" } as const;
  const attempt = await beginAttempt(deps, tenant, { user, context, method: "phone_code" });
  const proof = await repo.findNewestOfUser(deps.db, { ...of, phoneId: id }, now);
  const counted = proof && (await repo.countAttempt(deps.db, tenant.id, proof.id, MOST_ATTEMPTS, now));
  if (!attempt.admitted || !proof || !counted || !isCode(deps, proof, code)) {
    await attempt.failed();
    throw wrongCode();
  }
  await attempt.passed();
  await deps.db.transaction(async (tx) => {
    if (!(await repo.consume(tx, tenant.id, proof.id, { approved: false, now }))) throw wrongCode();
    await markPhoneVerified(tx, user, phone, { context, now });
  });
}

const wrongCode = () =>
  new AppError(422, "invalid_code", "This code is not valid, or not any more. Please ask for a new one.");
