/**
 * Every job there is: its queue, its name and the shape of its payload. Writers are checked against it by type,
 * workers parse by it before they trust anything. Payloads hold ids, never secrets: what a link needs is made by
 * the worker.
 */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const Id = Type.String({ minLength: 1, maxLength: 64 });

export const contracts = {
  email: {
    verify_email: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    reset_password: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    welcome: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
    new_sign_in: Type.Object({ user_id: Id, session_id: Id, locale: Type.Optional(Type.String()) }),
    /** Somebody tried to register an address that already has an account: its owner is told, the caller is not. */
    already_registered: Type.Object({ user_id: Id, email_id: Id, locale: Type.Optional(Type.String()) }),
  },
  maintenance: {
    /** Removes what has expired and prepares the audit trail's next partitions. */
    clean_up: Type.Object({}),
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
