/** Whose assertions the jwt-bearer grant accepts. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../../deps.ts";
import {
  createTrustedIssuer,
  deleteTrustedIssuer,
  listTrustedIssuers,
  requireTrustedIssuer,
  subjectKinds,
  type TrustedIssuer,
  updateTrustedIssuer,
} from "../../../domain/trusted-issuers/service.ts";
import { jsonBody } from "../../../http/json-body.ts";
import { bearerAuth, ErrorResponse } from "../../../http/models.ts";
import { listOf, listQuery, listResponse, readPage } from "../../../http/pagination.ts";
import { adminScope } from "../../../http/scope.ts";
import { notFound } from "../../../lib/errors.ts";
import { type Id, isId } from "../../../lib/ids.ts";
import { adminErrors, Nothing } from "./models.ts";

const SORTS = ["created_at"] as const;

const Jwks = t.Object({ keys: t.Array(t.Record(t.String(), t.Unknown())) });

const TrustedIssuerRequest = t.Object({
  issuer: t.String({ maxLength: 2048, description: "Compared with `iss` as a string." }),
  jwks: t.Optional(
    t.Union([Jwks, t.Null()], { description: "Its public keys; not together with jwks_uri." }),
  ),
  jwks_uri: t.Optional(
    t.Union([t.String({ maxLength: 2048 }), t.Null()], { description: "Where its public keys are." }),
  ),
  subject_kind: t.String({
    enum: [...subjectKinds],
    description: "What `sub` holds. An email counts only when it is verified here.",
  }),
  scopes: t.Array(t.String({ maxLength: 128 }), {
    maxItems: 100,
    description: "The most that its assertions can get.",
  }),
  enabled: t.Optional(t.Boolean()),
});

const TrustedIssuerResponse = t.Object(
  {
    id: t.String(),
    issuer: t.String(),
    jwks: t.Nullable(Jwks),
    jwks_uri: t.Nullable(t.String()),
    subject_kind: t.String({ enum: [...subjectKinds] }),
    scopes: t.Array(t.String()),
    enabled: t.Boolean(),
    created_at: t.String({ format: "date-time" }),
    updated_at: t.String({ format: "date-time" }),
  },
  { description: "A trusted issuer" },
);

export const adminTrustedIssuerRoutes = (deps: Deps) =>
  new Elysia({
    name: "native-admin-trusted-issuers",
    detail: { tags: ["Trusted issuers"], security: bearerAuth },
  })
    .use(adminScope(deps))
    .get(
      "/api/v1/admin/trusted-issuers",
      async ({ tenant, query }) => {
        const page = readPage(query, SORTS, "trustedIssuer");
        return listResponse(await listTrustedIssuers(deps, tenant.id, page), page, "trustedIssuer", {
          show: response,
          keyOf: ({ id, createdAt }) => ({ value: createdAt.toISOString(), id }),
        });
      },
      {
        query: listQuery(SORTS),
        response: { 200: listOf(TrustedIssuerResponse), ...adminErrors },
        detail: { summary: "List trusted issuers" },
      },
    )
    .post(
      "/api/v1/admin/trusted-issuers",
      async ({ tenant, body, by, status }) =>
        status(201, response(await createTrustedIssuer(deps, tenant.id, inputOf(body), by))),
      {
        parse: jsonBody,
        body: TrustedIssuerRequest,
        response: { 201: TrustedIssuerResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: {
          summary: "Trust an issuer",
          description:
            "Its assertions can then be exchanged for tokens of this tenant's users (RFC 7523 §2.1).",
        },
      },
    )
    .get(
      "/api/v1/admin/trusted-issuers/:id",
      async ({ tenant, params }) =>
        response(await requireTrustedIssuer(deps, tenant.id, issuerId(params.id))),
      {
        response: { 200: TrustedIssuerResponse, ...adminErrors },
        detail: { summary: "A trusted issuer" },
      },
    )
    .put(
      "/api/v1/admin/trusted-issuers/:id",
      async ({ tenant, params, body, by }) =>
        response(await updateTrustedIssuer(deps, tenant.id, issuerId(params.id), inputOf(body), by)),
      {
        parse: jsonBody,
        body: TrustedIssuerRequest,
        response: { 200: TrustedIssuerResponse, 409: ErrorResponse, 422: ErrorResponse, ...adminErrors },
        detail: { summary: "Replace a trusted issuer" },
      },
    )
    .delete(
      "/api/v1/admin/trusted-issuers/:id",
      async ({ tenant, params, by, status }) => {
        await deleteTrustedIssuer(deps, tenant.id, issuerId(params.id), by);
        return status(204, undefined);
      },
      {
        response: { 204: Nothing, ...adminErrors },
        detail: { summary: "Trust an issuer no more" },
      },
    );

function issuerId(id: string): Id<"trustedIssuer"> {
  if (!isId("trustedIssuer", id)) throw notFound();
  return id;
}

const inputOf = ({ jwks_uri, subject_kind, ...body }: typeof TrustedIssuerRequest.static) => ({
  ...body,
  jwksUri: jwks_uri ?? null,
  subjectKind: subject_kind,
});

function response(issuer: TrustedIssuer): typeof TrustedIssuerResponse.static {
  return {
    id: issuer.id,
    issuer: issuer.issuer,
    jwks: issuer.jwks,
    jwks_uri: issuer.jwksUri,
    subject_kind: issuer.subjectKind,
    scopes: issuer.scopes,
    enabled: issuer.enabled,
    created_at: issuer.createdAt.toISOString(),
    updated_at: issuer.updatedAt.toISOString(),
  };
}
