/**
 * Every job there is: its queue, its name and the shape of its payload. Writers are checked against it by type,
 * workers parse by it before they trust anything. Payloads hold ids, never secrets: what a link needs is made by
 * the worker.
 */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const Id = Type.String({ minLength: 1, maxLength: 64 });

const Factor = {
  method: Type.Union([Type.Literal("totp"), Type.Literal("webauthn"), Type.Literal("sms_code")]),
  name: Type.String({ maxLength: 128 }),
};

export const contracts = {
  email: {
    verify_email: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    reset_password: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    /** Too many wrong credentials locked an account: its owner is mailed the way back in. */
    unlock_account: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    welcome: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    new_sign_in: Type.Object({ user_id: Id, session_id: Id, locale: Type.Optional(Type.String()) }),
    /** Somebody tried to register an address that already has an account: its owner is told, the caller is not. */
    already_registered: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    /** A second factor or a passkey was added or removed. `name`: what its owner calls it. */
    factor_added: Type.Object({ user_id: Id, ...Factor, locale: Type.Optional(Type.String()) }),
    factor_removed: Type.Object({ user_id: Id, ...Factor, locale: Type.Optional(Type.String()) }),
    password_changed: Type.Object({ user_id: Id, locale: Type.Optional(Type.String()) }),
    /** To the old address, which has to approve. */
    email_change_requested: Type.Object({ user_id: Id, change_id: Id, locale: Type.Optional(Type.String()) }),
    /** To the new address, unless somebody has an account with it. */
    confirm_new_email: Type.Object({ user_id: Id, change_id: Id, locale: Type.Optional(Type.String()) }),
    email_changed: Type.Object({
      user_id: Id,
      change_id: Id,
      to: Type.Union([Type.Literal("old"), Type.Literal("new")]),
      locale: Type.Optional(Type.String()),
    }),
    account_deletion_requested: Type.Object({
      user_id: Id,
      deletion_id: Id,
      locale: Type.Optional(Type.String()),
    }),
    account_deleted: Type.Object({ user_id: Id, deletion_id: Id, locale: Type.Optional(Type.String()) }),
    data_export_ready: Type.Object({ user_id: Id, locale: Type.Optional(Type.String()) }),
    magic_link: Type.Object({ user_id: Id, proof_id: Id, locale: Type.Optional(Type.String()) }),
    email_code: Type.Object({ user_id: Id, proof_id: Id, locale: Type.Optional(Type.String()) }),
    /** An administrator signed in as the user. */
    impersonated: Type.Object({ user_id: Id, impersonation_id: Id, locale: Type.Optional(Type.String()) }),
    webhook_disabled: Type.Object({ user_id: Id, webhook_id: Id, locale: Type.Optional(Type.String()) }),
    /** How many accounts nobody uses, to who administers them. */
    dormant_accounts: Type.Object({
      user_id: Id,
      inactive_days: Type.Integer({ minimum: 1 }),
      dormant: Type.Integer({ minimum: 0 }),
      never_signed_in: Type.Integer({ minimum: 0 }),
      administrators: Type.Integer({ minimum: 0 }),
      locale: Type.Optional(Type.String()),
    }),
  },
  sms: {
    code: Type.Object({ proof_id: Id, locale: Type.Optional(Type.String()) }),
  },
  accounts: {
    erase_account: Type.Object({ deletion_id: Id }),
    export_data: Type.Object({ export_id: Id }),
    /** Best effort: tells a connection to revoke the tokens of an account that was unlinked (RFC 7009). */
    revoke_external_tokens: Type.Object({ external_account_id: Id }),
  },
  scim: {
    /** A provisioning client made a user, or activated one again. */
    user_provisioned: Type.Object({ user_id: Id, organization_id: Type.Optional(Id) }),
    /** A provisioning client deactivated or removed a user, who is signed out everywhere by now. */
    user_deprovisioned: Type.Object({ user_id: Id, organization_id: Type.Optional(Id) }),
  },
  webhooks: {
    /** One attempt of one delivery, counted from 1. */
    deliver: Type.Object({ delivery_id: Id, attempt: Type.Integer({ minimum: 1 }) }),
  },
  logout: {
    /** Tells one application that a session of one of its users has ended (OpenID Connect Back-Channel Logout §2.5). */
    backchannel_logout: Type.Object({ client_id: Id, session_id: Id, user_id: Id }),
  },
  users: {
    /** Works through a file of users. */
    import: Type.Object({ import_id: Id }),
    /** Writes users into a file. */
    export: Type.Object({ export_id: Id }),
  },
  reports: {
    /** Makes a compliance report or an export of the audit trail. */
    make: Type.Object({ report_id: Id }),
  },
  maintenance: {
    /** Puts on the queue whatever scheduled task is due (`domain/tasks/scheduling.ts`). */
    schedule_tasks: Type.Object({}),
  },
  tasks: {
    /** One run of a scheduled task. */
    run: Type.Object({ tenant_id: Id, run_id: Id }),
  },
} satisfies Record<string, Record<string, TSchema>>;

type Contracts = typeof contracts;
export type QueueName = keyof Contracts;
export type JobName<Queue extends QueueName> = keyof Contracts[Queue] & string;
export type JobPayload<
  Queue extends QueueName,
  Name extends JobName<Queue>,
> = Contracts[Queue][Name] extends TSchema ? Static<Contracts[Queue][Name]> : never;

export const queueNames = Object.keys(contracts) as QueueName[];

/** What every job's data looks like on the queue. `tenantId` is null for what concerns the whole installation. */
export interface JobData {
  tenantId: string | null;
  payload: Record<string, unknown>;
}

/** @returns undefined when `payload` does not keep the contract: such a job can never succeed. */
export function parsePayload<Queue extends QueueName, Name extends JobName<Queue>>(
  queue: Queue,
  name: Name,
  payload: unknown,
): JobPayload<Queue, Name> | undefined {
  const schema: TSchema | undefined = contracts[queue][name] as TSchema | undefined;
  if (!schema || !Value.Check(schema, payload)) return undefined;
  return payload as JobPayload<Queue, Name>;
}
