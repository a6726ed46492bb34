import { violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { isDisplayName } from "../../lib/display-name.ts";
import { conflict, type FieldError, notFound, validationError } from "../../lib/errors.ts";
import { type Id, isId, newId } from "../../lib/ids.ts";
import * as audit from "../audit/service.ts";
import type { ResourceSchema } from "../../protocol/scim/resource-schema.ts";
import type { RequestContext } from "../request-context.ts";
import { isValidSlug } from "../tenants/service.ts";
import { checkScimMapping, DEFAULT_SCIM_MAPPING, type ScimMapping } from "./scim-mappings.ts";
import * as repo from "./repo.ts";

export { findOrganization, type Organization } from "./repo.ts";
export {
  DEFAULT_SCIM_MAPPING,
  mappedFields,
  type MappedField,
  pathsOf,
  type ScimMapping,
} from "./scim-mappings.ts";

/** Makes a customer company inside a tenant. @throws AppError 422; 409 for a taken slug */
export async function createOrganization(
  deps: Deps,
  tenantId: Id<"tenant">,
  input: { slug: string; name: string },
  by: { actor: audit.Actor; context: RequestContext },
): Promise<repo.Organization> {
  const problems: FieldError[] = [];
  const name = input.name.trim();
  if (!isDisplayName(name))
    problems.push({ field: "name", message: "Must be 1 to 128 printable characters." });
  if (!isValidSlug(input.slug))
    problems.push({ field: "slug", message: "Must be lower-case letters, digits and inner hyphens." });
  if (problems.length > 0) throw validationError(problems);
  const now = deps.clock.now();
  const id = newId("organization");
  const organization = {
    tenantId,
    id,
    slug: input.slug,
    name,
    scimAttributeMappings: {},
    createdAt: now,
    updatedAt: now,
  };
  try {
    await deps.db.transaction(async (tx) => {
      await repo.insertOrganization(tx, organization);
      await audit.record(tx, {
        tenantId,
        type: "organization.created",
        target: { type: "organization", id },
        details: { slug: input.slug, name },
        now,
        ...by,
      });
    });
  } catch (error) {
    if (violatesUnique(error, "organizations_slug")) throw conflict("An organization has this slug already.");
    throw error;
  }
  return organization;
}

/** @throws AppError 404, the same for an organization of another tenant */
export async function requireOrganization(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: string,
): Promise<repo.Organization> {
  const found = isId("organization", id) ? await repo.findOrganization(deps.db, tenantId, id) : undefined;
  if (!found) throw notFound("There is no such organization.");
  return found;
}

/** The tenant's first thousand, by slug. */
export function listOrganizations(deps: Deps, tenantId: Id<"tenant">): Promise<repo.Organization[]> {
  return repo.listOrganizations(deps.db, tenantId, 1000);
}

/** What the organization set, or the defaults. */
export const scimMappingOf = ({ scimAttributeMappings }: repo.Organization): ScimMapping =>
  Object.keys(scimAttributeMappings).length > 0 ? scimAttributeMappings : DEFAULT_SCIM_MAPPING;

/**
 * Says which SCIM attributes fill the profiles of the organization's people, whenever SCIM next changes them. An empty
 * mapping goes back to the defaults.
 * @throws AppError 404, 422
 */
export async function setScimMapping(
  deps: Deps,
  { tenantId, id, schema }: { tenantId: Id<"tenant">; id: string; schema: ResourceSchema },
  mapping: ScimMapping,
  by: { actor: audit.Actor; context: RequestContext },
): Promise<repo.Organization> {
  const organization = await requireOrganization(deps, tenantId, id);
  checkScimMapping(schema, mapping);
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await repo.setScimMapping(tx, tenantId, organization.id, { ...mapping }, now);
    await audit.record(tx, {
      tenantId,
      type: "organization.scim_mappings_changed",
      target: { type: "organization", id: organization.id },
      details: { mapping },
      now,
      ...by,
    });
  });
  return { ...organization, scimAttributeMappings: { ...mapping }, updatedAt: now };
}
