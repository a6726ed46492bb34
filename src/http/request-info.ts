import type { RequestContext } from "../domain/request-context.ts";

/** What the gateway found out about a request before any route saw it. */
export interface RequestInfo extends RequestContext {
  /** The tenant that the path names (`/t/{slug}/…`), which routes do not see any more. */
  readonly tenantSlug: string | undefined;
  /** The Host header as it came: for finding a tenant, never for building a link. */
  readonly host: string;
}

const infos = new WeakMap<Request, RequestInfo>();

export function setRequestInfo(request: Request, info: RequestInfo): void {
  infos.set(request, info);
}

/** @throws Error for a request that did not come through the gateway: a defect, never a caller's fault. */
export function requestInfo(request: Request): RequestInfo {
  const info = infos.get(request);
  if (!info) throw new Error("a request came past the gateway");
  return info;
}
