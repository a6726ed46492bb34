import { index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, id, instant } from "../columns.ts";
import { ofUser } from "./users.ts";

export type ChallengeKind =
  | "verify_email"
  | "reset_password"
  | "unlock_account"
  /** A sign-in whose first factor was proved and whose second one is awaited, or has to be set up. */
  | "pending_login"
  | "passkey_registration"
  | "passkey_assertion"
  /** A new account that is to have a passkey and no password. */
  | "passkey_sign_up"
  /** A browser that was sent to a connection and is awaited back. */
  | "federation"
  /** What an identity provider said of somebody, until the browser that brought it shows that it is the one that was sent. */
  | "saml_answer"
  /** A browser that was sent to an identity provider to sign out there too, and is awaited back. */
  | "saml_upstream_logout"
  /** The applications that a browser still has to tell of a logout. */
  | "saml_logout";

/** One pending proof: a link, a code, or what an authenticator is to sign. Consumed by one atomic statement. */
export const challenges = pgTable(
  "challenges",
  {
    tenantId: id("tenant", "tenant_id").notNull(),
    id: id("challenge", "id").notNull(),
    kind: text("kind").$type<ChallengeKind>().notNull(),
    /** Null where the proof itself will say whose it is: a passkey sign-in without a name. */
    userId: id("user", "user_id"),
    hash: bytea("hash").notNull(),
    /** What the proof is about, e.g. the address that a link confirms. */
    data: jsonb("data").$type<Record<string, unknown>>().notNull().default({}),
    attempts: integer("attempts").notNull().default(0),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    consumedAt: instant("consumed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    ofUser(table),
    index("challenges_user").on(table.tenantId, table.userId, table.kind),
    index("challenges_expiry").on(table.expiresAt),
  ],
);
