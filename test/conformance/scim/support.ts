import { createOrganization, type Organization } from "../../../src/domain/organizations/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import { createScimToken } from "../../../src/domain/scim-tokens/service.ts";
import type { Tenant } from "../../../src/domain/tenants/service.ts";
import type { TestServer } from "../../support/server.ts";

const by = { actor: { type: "system" }, context: systemContext } as const;

export const addOrganization = (
  server: TestServer,
  slug: string,
  tenant: Tenant = server.tenant,
): Promise<Organization> => createOrganization(server.deps, tenant.id, { slug, name: slug }, by);

/** What a test reads of an answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Resource;
}

/** Any SCIM resource or message, as far as tests look into it. */
export interface Resource {
  id: string;
  schemas: string[];
  userName?: string;
  displayName?: string;
  externalId?: string;
  active?: boolean;
  name?: Record<string, string>;
  emails?: { value: string; type?: string; primary?: boolean }[];
  members?: { value: string; type?: string; display?: string; $ref?: string }[];
  groups?: { value: string; display: string }[];
  meta: { resourceType: string; created: string; lastModified: string; location: string; version: string };
  totalResults?: number;
  itemsPerPage?: number;
  startIndex?: number;
  nextCursor?: string;
  Resources?: Resource[];
  Operations?: {
    method: string;
    status: string;
    bulkId?: string;
    location?: string;
    version?: string;
    response?: { scimType?: string; status: string };
  }[];
  status?: string;
  scimType?: string;
  detail?: string;
  [name: string]: unknown;
}

export interface ScimClient {
  readonly token: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, operations: unknown[], headers?: Record<string, string>): Promise<Answer>;
  delete(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** A body byte for byte, as a recorded request has it. */
  send(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Answer>;
}

/** A provisioning client with a SCIM token of the tenant, or of one of its organizations. */
export async function scimClient(
  server: TestServer,
  of: { tenant?: Tenant; organization?: Organization; base?: string; token?: string } = {},
): Promise<ScimClient> {
  const tenant = of.tenant ?? server.tenant;
  const owner = { tenantId: tenant.id, organizationId: of.organization?.id ?? null };
  const token =
    of.token ?? (await createScimToken(server.deps, owner, { name: "Test", expiresAt: null }, by)).token;
  const base = `${server.url}${of.base ?? ""}/scim/v2`;
  const send = async (
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json", ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
  };
  return {
    token,
    get: (path, headers) => send("GET", path, undefined, headers),
    post: (path, body, headers) => send("POST", path, JSON.stringify(body), headers),
    put: (path, body, headers) => send("PUT", path, JSON.stringify(body), headers),
    patch: (path, operations, headers) =>
      send(
        "PATCH",
        path,
        JSON.stringify({
          schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
          Operations: operations,
        }),
        headers,
      ),
    delete: (path, headers) => send("DELETE", path, undefined, headers),
    send: (method, path, body, headers) => send(method, path, body, headers),
  };
}
