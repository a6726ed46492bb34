CREATE TABLE "api_keys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid,
	"service_account_id" uuid,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "api_keys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "api_keys_one_owner" CHECK (num_nonnulls("api_keys"."user_id", "api_keys"."service_account_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "service_account_roles" (
	"tenant_id" uuid NOT NULL,
	"service_account_id" uuid NOT NULL,
	"role_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "service_account_roles_tenant_id_service_account_id_role_id_pk" PRIMARY KEY("tenant_id","service_account_id","role_id")
);
--> statement-breakpoint
CREATE TABLE "service_accounts" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "service_accounts_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "connection_domains" (
	"tenant_id" uuid NOT NULL,
	"domain" text NOT NULL,
	"connection_id" uuid NOT NULL,
	CONSTRAINT "connection_domains_tenant_id_domain_pk" PRIMARY KEY("tenant_id","domain")
);
--> statement-breakpoint
CREATE TABLE "connections" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"organization_id" uuid,
	"kind" text NOT NULL,
	"preset" text,
	"key" text NOT NULL,
	"name" text NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"allow_sign_in" boolean DEFAULT true NOT NULL,
	"allow_sign_up" boolean DEFAULT true NOT NULL,
	"block_email_subaddresses" boolean DEFAULT false NOT NULL,
	"link_policy" text DEFAULT 'verified_email' NOT NULL,
	"trust_emails" text NOT NULL,
	"trust_upstream_mfa" boolean DEFAULT false NOT NULL,
	"default_role" text,
	"attribute_mapping" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"config" jsonb NOT NULL,
	"sealed_secrets" "bytea",
	"master_key_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "connections_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "external_accounts" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"subject" text NOT NULL,
	"email" text,
	"profile" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"sealed_tokens" "bytea",
	"master_key_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"last_sign_in_at" timestamp (3) with time zone,
	CONSTRAINT "external_accounts_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "former_external_tokens" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"sealed_tokens" "bytea" NOT NULL,
	"master_key_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "former_external_tokens_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant_id" uuid NOT NULL,
	"hash" "bytea" NOT NULL,
	"fingerprint" "bytea" NOT NULL,
	"lease" text NOT NULL,
	"leased_until" timestamp (3) with time zone NOT NULL,
	"status" smallint,
	"sealed_answer" "bytea",
	"master_key_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_id_hash_pk" PRIMARY KEY("tenant_id","hash")
);
--> statement-breakpoint
CREATE TABLE "impersonations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"impersonator_id" uuid NOT NULL,
	"impersonator_session_id" uuid NOT NULL,
	"reason" text NOT NULL,
	"lifetime_seconds" integer NOT NULL,
	"hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"opened_at" timestamp (3) with time zone,
	CONSTRAINT "impersonations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "saml_clients" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"entity_id" text NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"acs_urls" jsonb NOT NULL,
	"slo_url" text,
	"slo_binding" text NOT NULL,
	"name_id_format" text NOT NULL,
	"name_id_template" text,
	"attributes" jsonb NOT NULL,
	"sign_response" boolean NOT NULL,
	"sign_assertion" boolean NOT NULL,
	"encrypt_assertion" boolean NOT NULL,
	"encryption_certificate" text,
	"signing_certificates" text[] NOT NULL,
	"require_signed_requests" boolean NOT NULL,
	"allow_idp_initiated" boolean NOT NULL,
	"default_relay_state" text,
	"session_lifetime_seconds" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "saml_clients_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "saml_sessions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"saml_client_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"name_id" text NOT NULL,
	"name_id_format" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "saml_sessions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "upstream_saml_sessions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"connection_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"session_id" uuid,
	"name_id_hash" "bytea" NOT NULL,
	"name_id" jsonb NOT NULL,
	"session_index" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "upstream_saml_sessions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "scheduled_tasks" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"scope" text NOT NULL,
	"kind" text NOT NULL,
	"built_in" boolean NOT NULL,
	"name" text,
	"cron" text NOT NULL,
	"time_zone" text NOT NULL,
	"parameters" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"paused_at" timestamp (3) with time zone,
	"next_run_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "scheduled_tasks_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "task_runs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"trigger" text NOT NULL,
	"outcome" text NOT NULL,
	"attempt" integer DEFAULT 1 NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"lease_until" timestamp (3) with time zone,
	"retry_at" timestamp (3) with time zone,
	"counts" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"error" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "task_runs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "user_exports" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"format" text NOT NULL,
	"filter" jsonb NOT NULL,
	"include_password_hashes" boolean NOT NULL,
	"status" text NOT NULL,
	"users" integer DEFAULT 0 NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"requested_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"completed_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "user_exports_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "user_import_errors" (
	"tenant_id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	"row" integer NOT NULL,
	"number" integer NOT NULL,
	"field" text NOT NULL,
	"reason" text NOT NULL,
	CONSTRAINT "user_import_errors_tenant_id_import_id_row_number_pk" PRIMARY KEY("tenant_id","import_id","row","number")
);
--> statement-breakpoint
CREATE TABLE "user_imports" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"format" text NOT NULL,
	"on_conflict" text NOT NULL,
	"dry_run" boolean NOT NULL,
	"firebase_parameters" "bytea",
	"master_key_id" text NOT NULL,
	"status" text NOT NULL,
	"problem" text,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"bytes_read" bigint DEFAULT 0 NOT NULL,
	"rows_read" integer DEFAULT 0 NOT NULL,
	"created" integer DEFAULT 0 NOT NULL,
	"updated" integer DEFAULT 0 NOT NULL,
	"skipped" integer DEFAULT 0 NOT NULL,
	"failed" integer DEFAULT 0 NOT NULL,
	"requested_by" uuid NOT NULL,
	"super_admin" boolean NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"completed_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "user_imports_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "reports" ALTER COLUMN "requested_by" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "impersonation_id" uuid;--> statement-breakpoint
ALTER TABLE "user_search" ADD COLUMN "created_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "user_search" s SET "created_at" = u."created_at" FROM "users" u
  WHERE u."tenant_id" = s."tenant_id" AND u."id" = s."user_id";--> statement-breakpoint
ALTER TABLE "user_search" ALTER COLUMN "created_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_user_id_users_tenant_id_id_fk" FOREIGN KEY ("tenant_id","user_id") REFERENCES "public"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_service_account_id_service_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","service_account_id") REFERENCES "public"."service_accounts"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "service_account_roles" ADD CONSTRAINT "service_account_roles_tenant_id_service_account_id_service_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","service_account_id") REFERENCES "public"."service_accounts"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "service_account_roles" ADD CONSTRAINT "service_account_roles_tenant_id_role_id_roles_tenant_id_id_fk" FOREIGN KEY ("tenant_id","role_id") REFERENCES "public"."roles"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "connection_domains" ADD CONSTRAINT "connection_domains_tenant_id_connection_id_connections_tenant_id_id_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "connections" ADD CONSTRAINT "connections_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "connections" ADD CONSTRAINT "connections_tenant_id_organization_id_organizations_tenant_id_id_fk" FOREIGN KEY ("tenant_id","organization_id") REFERENCES "public"."organizations"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "external_accounts" ADD CONSTRAINT "external_accounts_tenant_id_user_id_users_tenant_id_id_fk" FOREIGN KEY ("tenant_id","user_id") REFERENCES "public"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "external_accounts" ADD CONSTRAINT "external_accounts_tenant_id_connection_id_connections_tenant_id_id_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "former_external_tokens" ADD CONSTRAINT "former_external_tokens_tenant_id_connection_id_connections_tenant_id_id_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "impersonations" ADD CONSTRAINT "impersonations_tenant_id_user_id_users_tenant_id_id_fk" FOREIGN KEY ("tenant_id","user_id") REFERENCES "public"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "impersonations" ADD CONSTRAINT "impersonations_tenant_id_impersonator_id_users_tenant_id_id_fk" FOREIGN KEY ("tenant_id","impersonator_id") REFERENCES "public"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "impersonations" ADD CONSTRAINT "impersonations_tenant_id_impersonator_session_id_sessions_tenant_id_id_fk" FOREIGN KEY ("tenant_id","impersonator_session_id") REFERENCES "public"."sessions"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "saml_clients" ADD CONSTRAINT "saml_clients_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "saml_sessions" ADD CONSTRAINT "saml_sessions_tenant_id_saml_client_id_saml_clients_tenant_id_id_fk" FOREIGN KEY ("tenant_id","saml_client_id") REFERENCES "public"."saml_clients"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "saml_sessions" ADD CONSTRAINT "saml_sessions_tenant_id_session_id_sessions_tenant_id_id_fk" FOREIGN KEY ("tenant_id","session_id") REFERENCES "public"."sessions"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "saml_sessions" ADD CONSTRAINT "saml_sessions_tenant_id_user_id_users_tenant_id_id_fk" FOREIGN KEY ("tenant_id","user_id") REFERENCES "public"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "upstream_saml_sessions" ADD CONSTRAINT "upstream_saml_sessions_tenant_id_user_id_users_tenant_id_id_fk" FOREIGN KEY ("tenant_id","user_id") REFERENCES "public"."users"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "upstream_saml_sessions" ADD CONSTRAINT "upstream_saml_sessions_tenant_id_session_id_sessions_tenant_id_id_fk" FOREIGN KEY ("tenant_id","session_id") REFERENCES "public"."sessions"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "upstream_saml_sessions" ADD CONSTRAINT "upstream_saml_sessions_tenant_id_connection_id_connections_tenant_id_id_fk" FOREIGN KEY ("tenant_id","connection_id") REFERENCES "public"."connections"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "scheduled_tasks" ADD CONSTRAINT "scheduled_tasks_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "task_runs" ADD CONSTRAINT "task_runs_tenant_id_task_id_scheduled_tasks_tenant_id_id_fk" FOREIGN KEY ("tenant_id","task_id") REFERENCES "public"."scheduled_tasks"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_exports" ADD CONSTRAINT "user_exports_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_import_errors" ADD CONSTRAINT "user_import_errors_tenant_id_import_id_user_imports_tenant_id_id_fk" FOREIGN KEY ("tenant_id","import_id") REFERENCES "public"."user_imports"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_imports" ADD CONSTRAINT "user_imports_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_user" ON "api_keys" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE INDEX "api_keys_service_account" ON "api_keys" USING btree ("tenant_id","service_account_id","created_at");--> statement-breakpoint
CREATE INDEX "api_keys_over" ON "api_keys" USING btree (least("expires_at", "revoked_at"));--> statement-breakpoint
CREATE INDEX "service_account_roles_role" ON "service_account_roles" USING btree ("tenant_id","role_id");--> statement-breakpoint
CREATE UNIQUE INDEX "service_accounts_name" ON "service_accounts" USING btree ("tenant_id","name");--> statement-breakpoint
CREATE INDEX "connection_domains_connection" ON "connection_domains" USING btree ("tenant_id","connection_id");--> statement-breakpoint
CREATE UNIQUE INDEX "connections_key" ON "connections" USING btree ("tenant_id","key");--> statement-breakpoint
CREATE INDEX "connections_organization" ON "connections" USING btree ("tenant_id","organization_id");--> statement-breakpoint
CREATE INDEX "connections_created" ON "connections" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "external_accounts_subject" ON "external_accounts" USING btree ("tenant_id","connection_id","subject");--> statement-breakpoint
CREATE INDEX "external_accounts_user" ON "external_accounts" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "former_external_tokens_connection" ON "former_external_tokens" USING btree ("tenant_id","connection_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "impersonations_user" ON "impersonations" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE INDEX "impersonations_impersonator" ON "impersonations" USING btree ("tenant_id","impersonator_id");--> statement-breakpoint
CREATE INDEX "impersonations_session" ON "impersonations" USING btree ("tenant_id","impersonator_session_id");--> statement-breakpoint
CREATE INDEX "impersonations_expiry" ON "impersonations" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "saml_clients_entity_id" ON "saml_clients" USING btree ("tenant_id","entity_id");--> statement-breakpoint
CREATE INDEX "saml_clients_created" ON "saml_clients" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "saml_sessions_session" ON "saml_sessions" USING btree ("tenant_id","session_id","saml_client_id");--> statement-breakpoint
CREATE INDEX "saml_sessions_client" ON "saml_sessions" USING btree ("tenant_id","saml_client_id");--> statement-breakpoint
CREATE INDEX "saml_sessions_user" ON "saml_sessions" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "upstream_saml_sessions_name" ON "upstream_saml_sessions" USING btree ("tenant_id","connection_id","name_id_hash");--> statement-breakpoint
CREATE INDEX "upstream_saml_sessions_user" ON "upstream_saml_sessions" USING btree ("tenant_id","user_id");--> statement-breakpoint
CREATE INDEX "upstream_saml_sessions_session" ON "upstream_saml_sessions" USING btree ("tenant_id","session_id");--> statement-breakpoint
CREATE INDEX "upstream_saml_sessions_expiry" ON "upstream_saml_sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "scheduled_tasks_built_in" ON "scheduled_tasks" USING btree ("tenant_id","kind") WHERE built_in;--> statement-breakpoint
CREATE INDEX "scheduled_tasks_due" ON "scheduled_tasks" USING btree ("next_run_at") WHERE paused_at is null;--> statement-breakpoint
CREATE INDEX "scheduled_tasks_installation" ON "scheduled_tasks" USING btree ("created_at") WHERE scope = 'installation';--> statement-breakpoint
CREATE UNIQUE INDEX "task_runs_active" ON "task_runs" USING btree ("tenant_id","task_id") WHERE outcome in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "task_runs_task" ON "task_runs" USING btree ("tenant_id","task_id","created_at","id");--> statement-breakpoint
CREATE INDEX "task_runs_lease" ON "task_runs" USING btree ("lease_until") WHERE outcome in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "task_runs_retry" ON "task_runs" USING btree ("retry_at") WHERE retry_at is not null;--> statement-breakpoint
CREATE INDEX "user_exports_created" ON "user_exports" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "user_exports_expiry" ON "user_exports" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "user_imports_created" ON "user_imports" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "user_imports_expiry" ON "user_imports" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sessions_unended" ON "sessions" USING btree ("expires_at") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "user_search_created" ON "user_search" USING btree ("tenant_id","created_at","user_id");--> statement-breakpoint
-- What users are searched by, and for: in lower case, with letters beyond ASCII spelt as x<code>z. Trigrams are made of what
-- the database's character type calls letters, and that of "C", which sorts the same everywhere, knows no others.
CREATE FUNCTION "search_form"("of_text" text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain text := lower(normalize(of_text, NFKC));
BEGIN
  IF plain !~ '[^\x01-\x7f]' THEN
    RETURN plain;
  END IF;
  RETURN (SELECT string_agg(CASE WHEN ascii("letter") > 127 THEN 'x' || to_hex(ascii("letter")) || 'z' ELSE "letter" END, ''
      ORDER BY "place")
    FROM regexp_split_to_table(plain, '') WITH ORDINALITY AS letters("letter", "place"));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION "refresh_user_searches"("of_tenants" uuid[], "of_users" uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Of two changes at once, the later one is to see what the earlier one wrote.
  PERFORM 1 FROM "users" u JOIN unnest(of_tenants, of_users) AS k("tenant_id", "id") USING ("tenant_id", "id")
    ORDER BY u."tenant_id", u."id" FOR NO KEY UPDATE OF u;
  INSERT INTO "user_search" ("tenant_id", "user_id", "text", "email_key", "created_at")
  SELECT u."tenant_id", u."id",
    E'\n' || search_form(concat_ws(E'\n', u."username", u."given_name", u."family_name",
      nullif(concat_ws(' ', u."given_name", u."family_name"), ''), e."addresses")),
    coalesce(e."primary_key", ''), u."created_at"
  FROM unnest(of_tenants, of_users) AS k("tenant_id", "id") JOIN "users" u USING ("tenant_id", "id")
    CROSS JOIN LATERAL (
      SELECT string_agg("address", E'\n' ORDER BY "address") AS "addresses",
        min("address_key") FILTER (WHERE "is_primary") AS "primary_key"
      FROM "user_emails" WHERE "tenant_id" = u."tenant_id" AND "user_id" = u."id") e
  ON CONFLICT ("tenant_id", "user_id")
    DO UPDATE SET "text" = excluded."text", "email_key" = excluded."email_key", "created_at" = excluded."created_at"
    WHERE ("user_search"."text", "user_search"."email_key", "user_search"."created_at")
      IS DISTINCT FROM (excluded."text", excluded."email_key", excluded."created_at");
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION "refresh_user_search"("of_tenant" uuid, "of_user" uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refresh_user_searches(ARRAY[of_tenant], ARRAY[of_user]);
END $$;--> statement-breakpoint
-- Of users who come by the thousand, all at once.
CREATE FUNCTION "search_new_users"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refresh_user_searches(array_agg("tenant_id"), array_agg("id")) FROM "added";
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE FUNCTION "search_new_emails"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refresh_user_searches(array_agg("tenant_id"), array_agg("user_id"))
    FROM (SELECT DISTINCT "tenant_id", "user_id" FROM "added") AS "owners";
  RETURN NULL;
END $$;--> statement-breakpoint
DROP TRIGGER "users_search" ON "users";--> statement-breakpoint
DROP TRIGGER "user_emails_search" ON "user_emails";--> statement-breakpoint
CREATE TRIGGER "users_search" AFTER UPDATE OF "username", "given_name", "family_name" ON "users"
  FOR EACH ROW EXECUTE FUNCTION "search_user"();--> statement-breakpoint
CREATE TRIGGER "user_emails_search" AFTER DELETE OR UPDATE OF "address", "is_primary" ON "user_emails"
  FOR EACH ROW EXECUTE FUNCTION "search_user_of_email"();--> statement-breakpoint
CREATE TRIGGER "users_search_added" AFTER INSERT ON "users" REFERENCING NEW TABLE AS "added"
  FOR EACH STATEMENT EXECUTE FUNCTION "search_new_users"();--> statement-breakpoint
CREATE TRIGGER "user_emails_search_added" AFTER INSERT ON "user_emails" REFERENCING NEW TABLE AS "added"
  FOR EACH STATEMENT EXECUTE FUNCTION "search_new_emails"();--> statement-breakpoint
-- Each of what is looked for begins a line, the first one too: a search for one or two letters goes by beginnings, which
-- trigrams know.
UPDATE "user_search" SET "text" = E'\n' || search_form("text");--> statement-breakpoint
-- How many users a text stands for decides between two ways to find them: it is to be known to a thousandth.
ALTER TABLE "user_search" ALTER COLUMN "text" SET STATISTICS 1000;--> statement-breakpoint
CREATE TRIGGER "connections_cache" AFTER INSERT OR UPDATE OR DELETE ON "connections"
  FOR EACH ROW EXECUTE FUNCTION "notify_cache"();--> statement-breakpoint
CREATE TRIGGER "connection_domains_cache" AFTER INSERT OR UPDATE OR DELETE ON "connection_domains"
  FOR EACH ROW EXECUTE FUNCTION "notify_cache"();--> statement-breakpoint
CREATE TRIGGER "saml_clients_cache" AFTER INSERT OR UPDATE OR DELETE ON "saml_clients"
  FOR EACH ROW EXECUTE FUNCTION "notify_cache"();
