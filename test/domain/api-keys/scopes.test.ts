import { describe, expect, it } from "bun:test";
import {
  allApiKeyScopes,
  apiKeyScopes,
  isApiKeyScope,
  scopesFor,
} from "../../../src/domain/api-keys/scopes.ts";

describe("the scopes that a key needs", () => {
  it.each([
    ["GET", "/api/v1/admin/users", ["users:read", "admin:read"]],
    ["HEAD", "/api/v1/admin/users/user_1", ["users:read", "admin:read"]],
    ["POST", "/api/v1/admin/users", ["users:write", "admin:write"]],
    ["DELETE", "/api/v1/admin/users/user_1/sessions", ["users:write", "admin:write"]],
    ["GET", "/api/v1/admin/audit-events/stream", ["audit:read", "admin:read"]],
    ["GET", "/api/v1/compliance/soc2", ["audit:read", "admin:read"]],
    ["PATCH", "/v1/organizations/org_1", ["organizations:write", "admin:write"]],
    // No part of its own, and none that merely begins alike.
    ["GET", "/api/v1/admin/stats", ["admin:read"]],
    ["GET", "/api/v1/admin/users-of-another-kind", ["admin:read"]],
    ["PUT", "/api/v1/admin/tasks/task_1", ["admin:write"]],
    // The audit trail is read alone.
    ["POST", "/api/v1/admin/audit-events", ["admin:write"]],
  ])("for %s %s are %p", (method, path, scopes) => {
    expect<readonly string[]>(scopesFor(method, path)).toEqual(scopes);
  });

  it.each([
    "/api/v1/admin/service-accounts/sa_1/api-keys",
    "/me/api-keys",
    "/api/v1/admin/scim-tokens",
    "/v1/organizations/org_1/scim/tokens",
    "/api/v1/admin/initial-access-tokens",
    "/api/v1/admin/users/user_1/reset-password",
    "/api/v1/admin/users/user_1/impersonate",
    "/api/v1/admin/connections",
  ])("do not exist for POST %s, which people alone do", (path) => {
    expect(scopesFor("POST", path)).toEqual([]);
  });
});

describe("a scope", () => {
  it("is known by its name, and no inherited name is one", () => {
    expect(allApiKeyScopes.every(isApiKeyScope)).toBe(true);
    for (const name of ["toString", "constructor", "__proto__", "users", "users:*"])
      expect(isApiKeyScope(name)).toBe(false);
  });

  it("says what it opens", () => {
    for (const text of Object.values(apiKeyScopes)) expect(text.length).toBeGreaterThan(8);
  });
});
