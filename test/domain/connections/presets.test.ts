/** The presets: each makes a sound connection, and believes no more of an address than its vendor says. */
import { describe, expect, it } from "bun:test";
import { mapAttributes } from "../../../src/domain/connections/attribute-mapping.ts";
import { asciiDomain, emailDomain, isPublicMailDomain } from "../../../src/domain/connections/domains.ts";
import { newConnection } from "../../../src/domain/connections/input.ts";
import { findPreset, type PresetName, presetNames } from "../../../src/domain/connections/presets.ts";
import { configurationProblems } from "../../../src/domain/connections/rules.ts";
import { newId } from "../../../src/lib/ids.ts";

const now = new Date("2026-01-01T00:00:00Z");

function connect(preset: string) {
  const needed = { team_id: "TEAM", key_id: "KEY" };
  const extra = preset === "apple" ? needed : {};
  return newConnection(
    // Without its secrets it can be made, and is off.
    { preset, enabled: false, config: { client_id: "client", ...extra } },
    { tenantId: newId("tenant"), id: newId("connection"), organizationId: null },
    { now, plainLdap: false },
  ).connection;
}

const identity = (preset: PresetName, claims: Record<string, unknown>) =>
  mapAttributes(connect(preset), claims);

describe("a preset", () => {
  it.each(presetNames)("%s makes a sound connection that only lacks its secrets", (name) => {
    const connection = connect(name);
    expect(connection).toMatchObject({ preset: name, key: name, linkPolicy: "verified_email" });
    const problems = configurationProblems(connection, {}, { enabled: true, plainLdap: false });
    expect(problems.map(({ field }) => field)).toEqual(
      (findPreset(name)?.secrets ?? []).map((secret) => `secrets.${secret}`),
    );
    const { config } = connection;
    for (const [member, value] of Object.entries(config))
      if (/endpoint$|issuer$|uri$/.test(member)) expect(value).toStartWith("https://");
  });

  it("is no other property of the table", () => {
    for (const name of ["constructor", "__proto__", "toString"]) expect(findPreset(name)).toBeUndefined();
  });
});

describe("what counts as verified", () => {
  it("of Google: its own addresses and those of Workspace", () => {
    const verified = (email: string, more: Record<string, unknown> = {}) =>
      identity("google", { sub: "1", email, email_verified: true, ...more }).emailVerified;
    expect(verified("ada@gmail.com")).toBe(true);
    expect(verified("Ada@GMAIL.com")).toBe(true);
    expect(verified("ada@corp.example", { hd: "corp.example" })).toBe(true);
    // Verified once, and whose it is by now Google does not know.
    expect(verified("ada@corp.example")).toBe(false);
    expect(verified("ada@notgmail.com")).toBe(false);
    expect(verified("ada@gmail.com", { email_verified: false })).toBe(false);
  });

  it("of Microsoft: nothing, whatever a directory writes into email (nOAuth)", () => {
    const { trustEmails } = connect("microsoft");
    expect(trustEmails).toBe("never");
    const claims = { tid: "t-1", sub: "s-1", oid: "o-1", email: "ceo@victim.example" };
    expect(identity("microsoft", claims)).toMatchObject({
      subject: "t-1/s-1",
      externalId: "o-1",
      emailVerified: false,
    });
    expect(identity("microsoft", { ...claims, xms_edov: true }).emailVerified).toBe(true);
    // Of two directories nobody has the same name.
    expect(identity("microsoft", { ...claims, tid: "t-2" }).subject).not.toBe("t-1/s-1");
    expect(() => identity("microsoft", { sub: "s-1" })).toThrow();
  });

  it("of Facebook: nothing, since it does not say", () => {
    expect(connect("facebook").trustEmails).toBe("never");
    expect(identity("facebook", { id: "9", email: "a@example.com" }).emailVerified).toBe(false);
  });

  it("of Discord, X, Apple and Slack: what they say they verified", () => {
    expect(identity("discord", { id: "1", email: "a@example.com", verified: true }).emailVerified).toBe(true);
    expect(identity("discord", { id: "1", email: "a@example.com", verified: false }).emailVerified).toBe(
      false,
    );
    expect(
      identity("x", { data: { id: "7", username: "ada", confirmed_email: "a@example.com" } }),
    ).toMatchObject({ subject: "7", username: "ada", email: "a@example.com", emailVerified: true });
    expect(identity("x", { data: { id: "7", username: "ada" } }).emailVerified).toBe(false);
    expect(
      identity("apple", { sub: "1", email: "a@example.com", email_verified: "true" }).emailVerified,
    ).toBe(true);
    expect(identity("slack", { sub: "1", email: "a@example.com" }).emailVerified).toBe(false);
  });
});

describe("vendors' own ways", () => {
  it("names GitHub's users by their number, which stays when they rename themselves", () => {
    expect(
      identity("github", { id: 583_231, login: "octocat", avatar_url: "https://a.example/1" }),
    ).toMatchObject({ subject: "583231", username: "octocat", picture: "https://a.example/1" });
  });

  it("names Slack's users with their workspace: another one may have the same name for somebody else", () => {
    const of = (team: string) => identity("slack", { sub: "U1", "https://slack.com/team_id": team }).subject;
    expect([of("T1"), of("T2")]).toEqual(["T1/U1", "T2/U1"]);
  });

  it("reads LinkedIn's locale, and asks it for neither nonce nor PKCE", () => {
    const claims = { sub: "1", locale: { language: "en", country: "US" } };
    expect(identity("linkedin", claims).locale).toBe("en-US");
    expect(connect("linkedin").config).toMatchObject({ nonce: false, pkce: false });
  });
});

describe("domains of addresses", () => {
  it.each([
    ["Example.COM", "example.com"],
    ["bücher.example.", "xn--bcher-kva.example"],
    ["localhost", undefined],
    ["127.0.0.1", undefined],
    ["[::1]", undefined],
    ["a b.example", undefined],
    ["-a.example", undefined],
    ["", undefined],
    [`${"a".repeat(64)}.example`, undefined],
  ])("%p is %p", (text, domain) => {
    expect(asciiDomain(text)).toBe(domain);
  });

  it("are what comes after the last @", () => {
    expect(emailDomain('"a@b"@example.com')).toBe("example.com");
    expect(emailDomain("example.com")).toBeUndefined();
    expect(emailDomain("@example.com")).toBeUndefined();
  });

  it("that everybody can have are known", () => {
    for (const domain of ["gmail.com", "outlook.com", "gmx.de"])
      expect(isPublicMailDomain(domain)).toBe(true);
    expect(isPublicMailDomain("example.com")).toBe(false);
  });
});
