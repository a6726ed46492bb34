import pino from "pino";
import { createBufferedOutput } from "./buffered-output.ts";

export type Logger = pino.Logger;

/** One for all loggers of the process, so that their lines keep their order. */
const output = createBufferedOutput();

/**
 * JSON lines on standard output. Redaction is the second line of defence: nothing secret is to reach a log call
 * at all, but a header object or a request body passed by mistake is masked.
 */
export function createLogger(options: { level: string; name: string }): Logger {
  const settings = {
    level: options.level,
    base: { process: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
      censor: "[redacted]",
    },
    serializers: { err: serializeError },
  };
  return pino(settings, output);
}

/**
 * The same log for lines whose fields are all named where they are written, and none of which can be secret: looking through
 * each of them for one would cost as much as a signature.
 */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: { paths: [] } });
}

const SECRET_FIELDS = [
  "password",
  "new_password",
  "authorization",
  "cookie",
  "token",
  "access_token",
  "refresh_token",
  "id_token",
  "client_secret",
  "secret",
  "code_verifier",
];

/**
 * A database error's message and detail repeat the values of the failed statement, so only its codes and its
 * constraint are kept.
 */
export function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const fields = error as Error & { code?: unknown; constraint_name?: unknown; table_name?: unknown };
  const fromDatabase = error.name === "PostgresError" || error.constructor.name === "DrizzleQueryError";
  return {
    type: error.name,
    message: fromDatabase ? "database error" : error.message,
    code: fields.code,
    constraint: fields.constraint_name,
    table: fields.table_name,
    stack: fromDatabase ? undefined : error.stack,
    cause: error.cause === undefined ? undefined : serializeError(error.cause),
  };
}
