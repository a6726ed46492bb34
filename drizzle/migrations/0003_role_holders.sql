DROP INDEX "user_roles_role";--> statement-breakpoint
CREATE INDEX "user_roles_holders" ON "user_roles" USING btree ("tenant_id","role_id","user_id");