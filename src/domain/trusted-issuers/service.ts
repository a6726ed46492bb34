/** Whose assertions the jwt-bearer grant accepts (RFC 7523 §2.1), as an administrator decides it. */
import { violatesUnique } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import { conflict, type FieldError, notFound, validationError } from "../../lib/errors.ts";
import { type Id, newId } from "../../lib/ids.ts";
import type { PageRequest, PageResult } from "../../lib/page.ts";
import { type ClientJwks, jwksProblem, readJwks } from "../../protocol/oauth/client-keys.ts";
import {
  memberProblem,
  scopesMember,
  webAddressProblem,
} from "../../protocol/oauth/client-metadata-members.ts";
import * as audit from "../audit/service.ts";
import type { ChangedBy } from "../clients/service.ts";
import * as repo from "./repo.ts";

export type TrustedIssuer = repo.StoredTrustedIssuer;

export const subjectKinds = ["user_id", "username", "email"] as const;

/** What an administrator says of an issuer. */
export interface TrustedIssuerInput {
  /** Compared with `iss` as a string. */
  readonly issuer: string;
  /** Either its keys … */
  readonly jwks?: unknown;
  /** … or where they are. */
  readonly jwksUri?: string | null;
  /** What `sub` holds. */
  readonly subjectKind: string;
  /** The most that its assertions can get. */
  readonly scopes: readonly string[];
  readonly enabled?: boolean;
}

/** The issuer whose assertions may be believed, by its `iss`; undefined when unknown or disabled. */
export async function findTrustedIssuer(
  deps: Deps,
  tenantId: Id<"tenant">,
  issuer: string,
): Promise<TrustedIssuer | undefined> {
  const found = await repo.findByIssuer(deps.db, tenantId, issuer);
  return found?.enabled ? found : undefined;
}

/** @throws AppError 404 */
export async function requireTrustedIssuer(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"trustedIssuer">,
): Promise<TrustedIssuer> {
  const found = await repo.findById(deps.db, tenantId, id);
  if (!found) throw notFound();
  return found;
}

export function listTrustedIssuers(
  deps: Deps,
  tenantId: Id<"tenant">,
  page: PageRequest<"created_at">,
): Promise<PageResult<TrustedIssuer>> {
  return repo.listIssuers(deps.db, tenantId, page);
}

/** @throws AppError 422 that names each wrong field, 409 for an issuer that is there already */
export async function createTrustedIssuer(
  deps: Deps,
  tenantId: Id<"tenant">,
  input: TrustedIssuerInput,
  by: ChangedBy,
): Promise<TrustedIssuer> {
  const now = deps.clock.now();
  const record = {
    ...readInput(input),
    tenantId,
    id: newId("trustedIssuer"),
    createdAt: now,
    updatedAt: now,
  };
  await once(() =>
    deps.db.transaction(async (tx) => {
      await repo.insertIssuer(tx, record);
      await audit.record(tx, {
        tenantId,
        type: "trusted_issuer.created",
        target: { type: "trusted_issuer", id: record.id },
        details: { after: detailsOf(record) },
        now,
        ...by,
      });
    }),
  );
  return record;
}

/** @throws AppError 404, 422 that names each wrong field, 409 when another one has this issuer */
export async function updateTrustedIssuer(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"trustedIssuer">,
  input: TrustedIssuerInput,
  by: ChangedBy,
): Promise<TrustedIssuer> {
  const now = deps.clock.now();
  const changes = { ...readInput(input), updatedAt: now };
  return once(() =>
    deps.db.transaction(async (tx) => {
      const before = await repo.findById(tx, tenantId, id);
      if (!before) throw notFound();
      await repo.updateIssuer(tx, tenantId, id, changes);
      await audit.record(tx, {
        tenantId,
        type: "trusted_issuer.updated",
        target: { type: "trusted_issuer", id },
        details: { before: detailsOf(before), after: detailsOf(changes) },
        now,
        ...by,
      });
      return { ...before, ...changes };
    }),
  );
}

/** @throws AppError 404 */
export async function deleteTrustedIssuer(
  deps: Deps,
  tenantId: Id<"tenant">,
  id: Id<"trustedIssuer">,
  by: ChangedBy,
): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const before = await repo.findById(tx, tenantId, id);
    if (!before) throw notFound();
    await repo.deleteIssuer(tx, tenantId, id);
    await audit.record(tx, {
      tenantId,
      type: "trusted_issuer.deleted",
      target: { type: "trusted_issuer", id },
      details: { before: detailsOf(before) },
      now: deps.clock.now(),
      ...by,
    });
  });
}

async function once<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (violatesUnique(error, "trusted_issuers_issuer")) throw conflict("This issuer is trusted already.");
    throw error;
  }
}

type Read = Pick<TrustedIssuer, "issuer" | "jwksUri" | "subjectKind" | "scopes" | "enabled"> & {
  jwks: { keys: Record<string, unknown>[] } | null;
};

function readInput(input: TrustedIssuerInput): Read {
  const jwksUri = input.jwksUri ?? null;
  const jwks = input.jwks ?? null;
  const subjectKind = subjectKinds.find((kind) => kind === input.subjectKind);
  const problems: FieldError[] = [];
  const add = (field: string, message: string | undefined) => {
    if (message !== undefined) problems.push({ field, message });
  };
  // An issuer identifier is a name as well as an address (RFC 8414 §2): it is compared, not opened.
  add("issuer", said(input.issuer.length > 2048 ? "is too long" : addressProblem(input.issuer)));
  if ((jwks === null) === (jwksUri === null)) add("jwks", "Either jwks or jwks_uri says what its keys are.");
  else if (jwks !== null) add("jwks", said(jwksProblem(jwks)));
  else if (jwksUri !== null) add("jwks_uri", said(addressProblem(jwksUri)));
  if (!subjectKind) add("subject_kind", `Must be one of ${subjectKinds.join(", ")}.`);
  add("scopes", memberProblem(scopesMember, input.scopes));
  if (problems.length > 0 || !subjectKind) throw validationError(problems);
  return {
    issuer: input.issuer,
    jwks: mutable(readJwks(jwks)),
    jwksUri,
    subjectKind,
    scopes: [...new Set(input.scopes)],
    enabled: input.enabled ?? true,
  };
}

const addressProblem = (uri: string) => webAddressProblem(uri, { loopback: true });
const said = (problem: string | undefined) => problem && `It ${problem}.`;
const mutable = (jwks: ClientJwks | undefined) => (jwks ? { keys: [...jwks.keys] } : null);

function detailsOf({ issuer, jwks, jwksUri, subjectKind, scopes, enabled }: Read) {
  return { issuer, jwks, jwks_uri: jwksUri, subject_kind: subjectKind, scopes, enabled };
}
