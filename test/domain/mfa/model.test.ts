import { describe, expect, it } from "bun:test";
import {
  decideSecondFactor,
  type FirstFactor,
  type MfaPolicy,
  raisedAmr,
  type SecondFactorInput,
  secondFactorMethods,
  strictestPolicy,
} from "../../../src/domain/mfa/model.ts";

const password: FirstFactor = { method: "password", amr: ["pwd"] };
const policy = (changes: Partial<MfaPolicy> = {}): MfaPolicy => ({
  enforcement: "optional",
  methods: secondFactorMethods,
  trustedDeviceDays: 30,
  ...changes,
});
const decide = (input: Partial<SecondFactorInput>) =>
  decideSecondFactor({ policy: policy(), first: password, available: [], trustedDevice: false, ...input });

describe("who is asked for a second factor", () => {
  it("is nobody where they are off", () => {
    const off = policy({ enforcement: "off" });
    expect(decide({ policy: off, available: ["totp", "webauthn"] })).toEqual({ kind: "none" });
  });

  it("is, where they are optional, whoever set one up", () => {
    expect(decide({ available: [] })).toEqual({ kind: "none" });
    expect(decide({ available: ["totp"] })).toEqual({ kind: "verify", methods: ["totp"] });
  });

  it("is not who merely has a verified address, unless one is required", () => {
    const available = ["email_code"] as const;
    expect(decide({ available })).toEqual({ kind: "none" });
    const required = policy({ enforcement: "required" });
    expect(decide({ policy: required, available })).toEqual({ kind: "verify", methods: ["email_code"] });
  });

  it("is, where one is required, everybody: who has none sets one up", () => {
    const required = policy({ enforcement: "required" });
    expect(decide({ policy: required })).toEqual({ kind: "enroll", methods: ["webauthn", "totp"] });
    const onlyTotp = policy({ enforcement: "required", methods: ["totp"] });
    expect(decide({ policy: onlyTotp, available: ["webauthn"] })).toEqual({
      kind: "enroll",
      methods: ["totp"],
    });
  });

  it("is not who signed in with two factors already", () => {
    const first = { method: "passkey", amr: ["hwk", "user", "mfa"] } as const;
    const required = policy({ enforcement: "required" });
    expect(decide({ policy: required, first, available: ["webauthn", "totp"] })).toEqual({ kind: "none" });
  });

  it("is not asked on a trusted device, where devices are trusted", () => {
    const asked = { available: ["totp"], trustedDevice: true } as const;
    expect(decide(asked)).toEqual({ kind: "none" });
    expect(decide({ ...asked, policy: policy({ trustedDeviceDays: 0 }) }).kind).toBe("verify");
  });

  it("has to set one up on a trusted device, too", () => {
    const required = policy({ enforcement: "required" });
    expect(decide({ policy: required, trustedDevice: true }).kind).toBe("enroll");
  });

  it("is not let off by backup codes that are left of a factor that is gone", () => {
    expect(decide({ available: ["backup_code"] })).toEqual({ kind: "none" });
    const required = policy({ enforcement: "required" });
    expect(decide({ policy: required, available: ["backup_code"] }).kind).toBe("enroll");
  });
});

describe("by what means", () => {
  it("is what is set up and allowed, the strongest first", () => {
    const available = ["backup_code", "totp", "webauthn", "email_code"] as const;
    expect(decide({ available })).toEqual({
      kind: "verify",
      methods: ["webauthn", "totp", "email_code", "backup_code"],
    });
    expect(decide({ available, policy: policy({ methods: ["totp", "backup_code"] }) })).toEqual({
      kind: "verify",
      methods: ["totp", "backup_code"],
    });
  });

  it("is never what was just proved: whoever reads a mailbox reads all of it", () => {
    const available = ["totp", "email_code", "sms_code"] as const;
    const methods = (method: FirstFactor["method"]) => {
      const decision = decide({ available, first: { method, amr: [] } });
      return decision.kind === "verify" ? decision.methods : decision.kind;
    };
    expect(methods("magic_link")).toEqual(["totp", "sms_code"]);
    expect(methods("email_code")).toEqual(["totp", "sms_code"]);
    expect(methods("sms_code")).toEqual(["totp", "email_code"]);
    expect(methods("external")).toEqual(["totp", "email_code", "sms_code"]);
  });
});

describe("a passkey that did not verify its user", () => {
  const first = { method: "passkey", amr: ["hwk", "user"] } as const;

  it("is one factor, to which another is added", () => {
    expect(decide({ first, available: ["webauthn", "totp"] })).toEqual({ kind: "verify", methods: ["totp"] });
  });

  it("alone is not enough: its owner set it up beside a password, and it must not replace both", () => {
    expect(decide({ first, available: ["webauthn"] })).toEqual({ kind: "refuse" });
    const required = policy({ enforcement: "required" });
    expect(decide({ policy: required, first, available: ["webauthn"] })).toEqual({ kind: "refuse" });
  });
});

describe("the strictest policy", () => {
  it("is what any of them asks for, and what all of them allow", () => {
    const tenant = policy({ methods: ["totp", "webauthn", "email_code"] });
    const organization = policy({
      enforcement: "required",
      methods: ["webauthn", "totp"],
      trustedDeviceDays: 0,
    });
    expect(strictestPolicy(tenant, organization)).toEqual({
      enforcement: "required",
      methods: ["totp", "webauthn"],
      trustedDeviceDays: 0,
    });
    expect(strictestPolicy(organization, policy({ enforcement: "off" })).enforcement).toBe("required");
    expect(strictestPolicy(tenant)).toEqual(tenant);
  });
});

describe("stepping up", () => {
  it("makes two factors of two kinds", () => {
    expect(raisedAmr(["pwd"], { method: "totp", amr: ["otp"] })).toEqual(["pwd", "otp", "mfa"]);
    expect(raisedAmr(["hwk", "user"], { method: "totp", amr: ["otp"] })).toContain("mfa");
    expect(raisedAmr(["otp"], { method: "password", amr: ["pwd"] })).toContain("mfa");
  });

  it("makes none of the same kind twice", () => {
    expect(raisedAmr(["pwd"], { method: "password", amr: ["pwd"] })).toEqual(["pwd"]);
    expect(raisedAmr(["hwk", "user"], { method: "webauthn", amr: ["hwk", "user"] })).not.toContain("mfa");
    expect(raisedAmr(["otp"], { method: "email_code", amr: ["otp"] })).toEqual(["otp"]);
    expect(raisedAmr(["sms"], { method: "sms_code", amr: ["sms"] })).toEqual(["sms"]);
  });

  it("keeps what was two factors before", () => {
    expect(raisedAmr(["pwd", "otp", "mfa"], { method: "totp", amr: ["otp"] })).toContain("mfa");
  });
});
