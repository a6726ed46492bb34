import type { Deps } from "../deps.ts";
import { findDefaultTenant } from "../domain/tenants/service.ts";
import type { ErrorPage } from "../http/errors.ts";
import { requestInfo } from "../http/request-info.ts";
import { resolveTenant } from "../http/tenant.ts";
import { negotiateLocale } from "../lib/locale.ts";
import { impersonationOf } from "./impersonation-guard.ts";
import { renderError } from "./pages/error.tsx";
import { pageHeaders } from "./security-headers.ts";

/** The pages have texts of their own, in the person's language, for what says no more than its status. */
const says = (code: string) => !["not_found", "internal_error", "rate_limited"].includes(code);

/** Shows an error to a person. Needs no tenant: the error may be that there is none, or no database to ask. */
export const errorPage =
  (deps: Deps): ErrorPage =>
  async (request, { status, code, message, requestId }) => {
    const info = requestInfo(request);
    const tenant = await resolveTenant(deps, request, info)
      .catch(() => findDefaultTenant(deps))
      .catch(() => undefined);
    const html = renderError(
      {
        locale: negotiateLocale({ acceptLanguage: request.headers.get("accept-language") }),
        basePath: "",
        tenant: { name: tenant?.name ?? "Gatewright", logoUrl: tenant?.settings.logo_url || undefined },
        impersonation: impersonationOf(request),
      },
      {
        status,
        requestId,
        code,
        message: says(code) ? message : undefined,
        homeUrl: info.tenantSlug ? `/t/${info.tenantSlug}` : "/",
      },
    );
    const https = deps.config.publicUrl.startsWith("https:");
    return new Response(html, { status, headers: pageHeaders({ https }) });
  };
