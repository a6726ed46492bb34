/** Where a call comes from: what the audit trail records beside each event. */
export interface RequestContext {
  readonly requestId: string;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

export const systemContext: RequestContext = { requestId: "system", ip: undefined, userAgent: undefined };
