/** The documented request sequences of the large identity providers, with the tenant's settings as they come. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "bun:test";
import { users } from "../../../src/db/schema/index.ts";
import { eq } from "drizzle-orm";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { play } from "./recorded.ts";
import { addOrganization, type Answer, type ScimClient, scimClient } from "./support.ts";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

let server: TestServer;
let scim: ScimClient;
let counter = 0;

beforeAll(async () => {
  server = await startTestServer();
});
// What one sequence leaves behind is not the next one's: people are unique in the tenant.
beforeEach(async () => {
  for (const { id, username } of await server.deps.db.select().from(users))
    if (/Test_User|testuser|test\.user|ada/.test(username))
      await server.deps.db.delete(users).where(eq(users.id, id));
  scim = await scimClient(server, { organization: await addOrganization(server, `o${++counter}`) });
});
afterAll(() => server.stop());

const of = (answers: Record<string, Answer>, name: string) => {
  const answer = answers[name];
  if (!answer) throw new Error(`nothing is recorded as ${name}`);
  return answer.body;
};

describe("Microsoft Entra ID", () => {
  it("provisions as it does by default", async () => {
    const answers = await play(scim, "entra/default.http");
    expect(of(answers, "test-connection")).toMatchObject({ totalResults: 0, Resources: [] });
    const created = of(answers, "create-user");
    expect(created).toMatchObject({
      externalId: "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
      userName: "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee",
      active: true,
      name: { formatted: "givenName familyName", familyName: "familyName", givenName: "givenName" },
      emails: [
        {
          primary: true,
          type: "work",
          value: "Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com",
        },
      ],
    });
    for (const found of ["find-user", "find-user-by-work-address", "find-user-by-external-id"])
      expect(of(answers, found).Resources?.map(({ id }) => id)).toEqual([created.id]);
    expect(of(answers, "update-user")).toMatchObject({
      emails: [{ value: "updatedEmail@microsoft.com", type: "work", primary: true }],
      name: { familyName: "updatedFamilyName", givenName: "givenName" },
    });
    expect(of(answers, "rename-user").userName).toBe("5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com");
    expect(of(answers, "add-single-value")).toMatchObject({ nickName: "Babs" });
    expect(of(answers, "replace-several")).toMatchObject({
      displayName: "Pvlo",
      externalId: "Eqpj",
      name: { givenName: "Gtfd", familyName: "Pkqf" },
      emails: [{ value: "TestBcwqnm@test.microsoft.com", type: "work" }],
      [ENTERPRISE]: { employeeNumber: "Eqpj" },
    });
    expect(of(answers, "add-missing-addresses")).toMatchObject({
      phoneNumbers: [{ type: "mobile", value: "55555555555" }],
      addresses: [{ type: "work", streetAddress: "1 Main Street", postalCode: "98052" }],
      [ENTERPRISE]: { manager: { value: created.id } },
    });
    expect(of(answers, "disable-user").active).toBe(false);
    expect(of(answers, "get-group")).not.toHaveProperty("members");
    expect(of(answers, "find-group").totalResults).toBe(1);
  });

  it("provisions as it does with aadOptscim062020", async () => {
    const answers = await play(scim, "entra/rfc-compliant.http");
    expect(of(answers, "replace-several")).toMatchObject({
      displayName: "Bjfe",
      name: { givenName: "Kkom", familyName: "Unua" },
      emails: [{ value: "TestMhvaes@test.microsoft.com", type: "work", primary: true }],
      [ENTERPRISE]: { employeeNumber: "Aklq" },
    });
    expect(of(answers, "disable-user").active).toBe(false);
    const { id } = of(answers, "create-group");
    expect((await scim.get(`/Groups/${id}`)).body).not.toHaveProperty("members");
  });

  it("removes exactly the member that it names, in both modes", async () => {
    const people = await Promise.all(
      ["testuser-1", "testuser-2"].map((userName) => scim.post("/Users", { userName })),
    );
    const [one, two] = people.map(({ body }) => body.id);
    const members = [{ value: one }, { value: two }];
    for (const operation of [
      { op: "Remove", path: "members", value: [{ $ref: null, value: one }] },
      { op: "remove", path: `members[value eq "${one}"]` },
    ]) {
      const { body } = await scim.post("/Groups", { displayName: "G", members });
      await scim.patch(`/Groups/${body.id}`, [operation]);
      const left = (await scim.get(`/Groups/${body.id}`)).body.members;
      expect(left?.map(({ value }) => value)).toEqual([two ?? ""]);
    }
  });
});

describe("Okta", () => {
  it("provisions as an integration of its network does, by PATCH", async () => {
    const answers = await play(scim, "okta/integration-network.http");
    expect(of(answers, "find-user")).toMatchObject({
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    });
    const created = of(answers, "create-user");
    expect(created).toMatchObject({
      displayName: "Test User",
      locale: "en-US",
      externalId: "00ujl29u0le5T6Aj10h7",
    });
    expect(created).not.toHaveProperty("password");
    expect(of(answers, "update-user")).toMatchObject({
      id: created.id,
      name: { givenName: "Another", middleName: "Excited", familyName: "User" },
      emails: [{ display: "test.user@okta.local" }],
    });
    expect(of(answers, "deactivate-user")).toMatchObject({ active: false, id: created.id });
    expect(of(answers, "rename-group").displayName).toBe("Test SCIMv20");
  });

  it("provisions as an integration made by its wizard does, by PUT", async () => {
    const answers = await play(scim, "okta/custom-integration.http");
    expect(of(answers, "deactivate-user")).toMatchObject({ active: false });
    const [member] = of(answers, "change-members").members ?? [];
    expect(member?.value).toBe(of(answers, "create-user").id);
    expect(of(answers, "change-members").displayName).toBe("Test SCIMv20");
  });

  it("is told of a user who is there already", async () => {
    const user = { userName: "test.user@okta.local", emails: [{ value: "test.user@okta.local" }] };
    expect((await scim.post("/Users", user)).status).toBe(201);
    const again = await scim.post("/Users", { ...user, userName: "TEST.user@okta.local" });
    expect([again.status, again.body.scimType]).toEqual([409, "uniqueness"]);
  });
});

describe("Google Workspace", () => {
  it("provisions by whole users", async () => {
    const answers = await play(scim, "google/auto-provisioning.http");
    expect(of(answers, "find-user").totalResults).toBe(0);
    expect(of(answers, "update-user")).toMatchObject({
      name: { familyName: "King", givenName: "Ada" },
      displayName: "Ada King",
      phoneNumbers: [{ value: "+44 20 7946 0000", type: "work" }],
      [ENTERPRISE]: { department: "Numbers" },
    });
    // What a whole user does not mention is gone (RFC 7644 §3.5.1).
    expect(of(answers, "update-user")[ENTERPRISE]).not.toHaveProperty("organization");
    expect(of(answers, "suspend-user")).toMatchObject({ active: false });
    expect(of(answers, "suspend-user")).not.toHaveProperty("phoneNumbers");
  });
});
