/**
 * The errors that a caller may see. `message` is public: it tells the caller what to do and an attacker nothing.
 * Whatever helps only us (the failed query, the peer's answer) goes into `cause`, which is logged and never sent.
 * Each surface renders them in its own envelope (`http/errors.ts`).
 */
export interface FieldError {
  field: string;
  message: string;
}

export interface AppErrorOptions {
  cause?: unknown;
  details?: readonly FieldError[];
  headers?: Readonly<Record<string, string>>;
}

export class AppError extends Error {
  override readonly name: string = "AppError";
  readonly details: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param code stable and machine-readable, e.g. `not_found`
   * @param message public text
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.details = options.details;
    this.headers = options.headers ?? {};
  }
}

export const badRequest = (message: string, options?: AppErrorOptions) =>
  new AppError(400, "bad_request", message, options);
export const unauthorized = (message = "A valid Bearer token is required.", options?: AppErrorOptions) =>
  new AppError(401, "unauthorized", message, { headers: { "www-authenticate": "Bearer" }, ...options });
export const forbidden = (message = "You are not allowed to do this.", options?: AppErrorOptions) =>
  new AppError(403, "forbidden", message, options);
export const notFound = (message = "The requested resource was not found.", options?: AppErrorOptions) =>
  new AppError(404, "not_found", message, options);
export const conflict = (message: string, options?: AppErrorOptions) =>
  new AppError(409, "conflict", message, options);
export const validationError = (details: readonly FieldError[]) =>
  new AppError(422, "validation_error", "Request body failed validation.", { details });

/**
 * An error of an OAuth endpoint (RFC 6749 §5.2, RFC 6750 §3.1, RFC 8628 §3.5 …): `code` is the registered `error`
 * value and `message` becomes `error_description`, so it must stay within %x20-21 / %x23-5B / %x5D-7E.
 */
export class OAuthError extends AppError {
  override readonly name = "OAuthError";

  constructor(code: string, description: string, options: AppErrorOptions & { status?: number } = {}) {
    super(options.status ?? (code === "invalid_client" ? 401 : 400), code, description, options);
  }
}
