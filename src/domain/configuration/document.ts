/** A tenant's configuration as one document: what is exported of it, and imported elsewhere. No secrets, and no people. */
import { type Static, Type } from "@sinclair/typebox";
import type { Id } from "../../lib/ids.ts";
import type { describeConnection } from "../connections/administration.ts";
import { ConnectionDocument } from "./connections.ts";
import { SamlClientRequest } from "../saml-idp/service.ts";

/** Of the document's form. An older one is read as long as its form can be told from its number. */
export const CONFIGURATION_VERSION = 1;

const Roles = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 100 });

export const ConfigurationRequest = Type.Object({
  version: Type.Literal(CONFIGURATION_VERSION, { "x-message": `Must be ${CONFIGURATION_VERSION}.` }),
  settings: Type.Optional(Type.Record(Type.String({ maxLength: 100 }), Type.Unknown())),
  roles: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1, maxLength: 64 }),
        description: Type.Optional(Type.String({ maxLength: 500 })),
        permissions: Type.Optional(Type.Array(Type.String({ maxLength: 128 }), { maxItems: 1000 })),
      }),
      { maxItems: 1000 },
    ),
  ),
  groups: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1, maxLength: 256 }),
        roles: Type.Optional(Roles),
      }),
      { maxItems: 1000 },
    ),
  ),
  clients: Type.Optional(
    Type.Array(
      Type.Object(
        { client_id: Type.Optional(Type.String({ maxLength: 512 })), roles: Type.Optional(Roles) },
        { additionalProperties: true },
      ),
      { maxItems: 500 },
    ),
  ),
  saml_clients: Type.Optional(Type.Array(SamlClientRequest, { maxItems: 500 })),
  connections: Type.Optional(Type.Array(ConnectionDocument, { maxItems: 500 })),
});
export type ConfigurationRequest = Static<typeof ConfigurationRequest>;

export interface Configuration {
  version: typeof CONFIGURATION_VERSION;
  exported_at: string;
  organization: { slug: string; name: string; domains: string[] };
  settings: Record<string, unknown>;
  roles: { name: string; description: string; permissions: string[] }[];
  groups: { name: string; roles: string[] }[];
  clients: Record<string, unknown>[];
  saml_clients: SamlClientRequest[];
  connections: ReturnType<typeof describeConnection>[];
}

/** What an import made, or would make. */
export interface ImportResult {
  readonly settings: string[];
  readonly roles: { created: string[]; extended: string[] };
  readonly groups: { created: string[]; extended: string[] };
  readonly clients: {
    /** Undefined for one that needs no secret, and where nothing was made. */
    created: { name: string; clientId: string; clientSecret: string | undefined }[];
    /** client_ids of those that are there already. */
    skipped: string[];
  };
  readonly samlClients: {
    created: { name: string; entityId: string; id: Id<"samlClient"> }[];
    /** entity_ids of those that are there already. */
    skipped: string[];
  };
  readonly connections: {
    created: { id: Id<"connection">; key: string; name: string }[];
    /** Keys of those that are there already. */
    skipped: string[];
  };
}
