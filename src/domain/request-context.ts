import type { Id } from "../lib/ids.ts";

/** Where a call comes from: what the audit trail records beside each event. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
  /** The key that the caller came by, if it was one. */
  readonly apiKeyId?: Id<"apiKey"> | undefined;
  /** Who really acts, where an administrator is signed in as somebody else. */
  readonly impersonatorId?: Id<"user"> | undefined;
}

export const systemContext: RequestContext = { requestId: "system", ip: undefined, userAgent: undefined };
