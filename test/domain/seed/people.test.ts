import { describe, expect, it } from "bun:test";
import { personOf, randomOf } from "../../../src/domain/seed/people.ts";
import { profileProblems } from "../../../src/domain/accounts/profile.ts";
import { emailKey, isEmailAddress, isUsername, usernameKey } from "../../../src/domain/users/service.ts";

const people = Array.from({ length: 20_000 }, (_, at) => personOf(at + 1, 10));
const share = (of: (person: (typeof people)[number]) => boolean) => people.filter(of).length / people.length;

describe("an invented person", () => {
  it("is the same for the same number", () => {
    expect(personOf(4711, 10)).toEqual(personOf(4711, 10));
    expect(randomOf(1)()).not.toBe(randomOf(2)());
  });

  it("has a name and an address that registering would take", () => {
    for (const person of people) {
      const { username, email } = person;
      if (isUsername(username) && isEmailAddress(email) && profileProblems(person).length === 0) continue;
      throw new Error(`not taken: ${JSON.stringify(person)}`);
    }
  });

  it("shares neither with another one", () => {
    expect(new Set(people.map(({ username }) => usernameKey(username))).size).toBe(people.length);
    expect(new Set(people.map(({ email }) => emailKey(email))).size).toBe(people.length);
  });

  it("lives at an address that belongs to nobody", () => {
    expect(people.every(({ email }) => email.endsWith(".example.com"))).toBe(true);
  });

  it("signed in after they were made", () => {
    expect(people.every(({ madeBefore, signedInBefore = 0 }) => signedInBefore <= madeBefore)).toBe(true);
  });

  it("is one of many kinds", () => {
    expect(share(({ enabled }) => enabled)).toBeCloseTo(0.98, 1);
    expect(share(({ emailVerified }) => emailVerified)).toBeCloseTo(0.9, 1);
    expect(share(({ role }) => role === 0)).toBeCloseTo(0.4, 1);
    expect(share(({ role }) => role === 1)).toBeCloseTo(0.05, 1);
    expect(share(({ organization }) => organization !== undefined)).toBeCloseTo(0.3, 1);
    expect(new Set(people.map(({ organization }) => organization)).size).toBe(11);
    expect(personOf(1, 0).organization).toBeUndefined();
  });
});
