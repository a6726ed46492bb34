/**
 * The PostgreSQL schema that BullMQ's tables live in. Apart from `backend.ts`, so that whoever only needs the name
 * does not load the library.
 */
export const QUEUE_SCHEMA = "bullmq";

/** What BullMQ's keys begin with in Redis, which an installation may share with other programs. */
export const REDIS_PREFIX = "gatewright";
