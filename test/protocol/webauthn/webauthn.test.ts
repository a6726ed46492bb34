import { describe, expect, it } from "bun:test";
import {
  amrOfAssertion,
  authenticationOptions,
  verifyAssertion,
} from "../../../src/protocol/webauthn/authentication.ts";
import { WebAuthnProblem } from "../../../src/protocol/webauthn/client-data.ts";
import { registrationOptions, verifyRegistration } from "../../../src/protocol/webauthn/registration.ts";
import { relyingPartyOf, type UserVerification } from "../../../src/protocol/webauthn/relying-party.ts";
import { type AuthenticatorOptions, type Forgery, SoftAuthenticator } from "../../support/authenticator.ts";

const relyingParty = relyingPartyOf("https://id.example.com/t/acme");
const CHALLENGE = "chal_one-of-ours";
const user = { handle: "user_jane", name: "jane@example.com", displayName: "Jane" };

async function register(
  options: Partial<AuthenticatorOptions> = {},
  forgery: Forgery = {},
  userVerification: UserVerification = "preferred",
) {
  const authenticator = new SoftAuthenticator({ origin: relyingParty.origin, ...options });
  const request = await registrationOptions({
    relyingParty,
    relyingPartyName: "Acme",
    user,
    challenge: CHALLENGE,
    userVerification,
    attestation: options.attests ? "direct" : "none",
    residentKey: "preferred",
    existing: [],
  });
  const response = authenticator.create(request, forgery);
  const credential = await verifyRegistration(response, {
    relyingParty,
    challenge: CHALLENGE,
    userVerification,
  });
  return { authenticator, credential };
}

async function assert(
  options: Partial<AuthenticatorOptions> = {},
  forgery: Forgery = {},
  expected: { userVerification?: UserVerification; userHandleRequired?: boolean } = {},
) {
  const { authenticator, credential } = await register(options);
  const request = await authenticationOptions({
    relyingParty,
    challenge: CHALLENGE,
    userVerification: "preferred",
    allowed: [credential],
  });
  return verifyAssertion(
    authenticator.get(request, forgery),
    { ...credential, userHandle: user.handle },
    {
      relyingParty,
      challenge: CHALLENGE,
      userVerification: expected.userVerification ?? "preferred",
      userHandleRequired: expected.userHandleRequired ?? false,
    },
  );
}

const problem = expect.any(WebAuthnProblem);
const outcome = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe("the relying party (WebAuthn Level 3 §13.4.9)", () => {
  it("is the host of the issuer, without its path and port", () => {
    expect(relyingParty).toEqual({ id: "id.example.com", origin: "https://id.example.com" });
    expect(relyingPartyOf("http://localhost:3000")).toEqual({
      id: "localhost",
      origin: "http://localhost:3000",
    });
  });
});

describe("registering a credential (§7.1)", () => {
  it.each(["ES256", "EdDSA", "RS256"] as const)("takes a key for %s, which then signs", async (alg) => {
    expect((await register({ alg })).credential).toMatchObject({ signCount: 0, attestationFormat: "none" });
    expect(await assert({ alg })).toMatchObject({ userVerified: true });
  });

  it("keeps what the authenticator and the browser say of it", async () => {
    const { credential } = await register({
      backupEligible: true,
      aaguid: "bada5566-a7aa-401f-bd96-45619a55120d",
    });
    expect(credential).toMatchObject({
      aaguid: "bada5566-a7aa-401f-bd96-45619a55120d",
      backupEligible: true,
      backedUp: true,
      discoverable: true,
      transports: ["hybrid", "internal"],
      userVerified: true,
    });
  });

  it("verifies an attestation where one was asked for", async () => {
    expect((await register({ attests: true })).credential.attestationFormat).toBe("packed");
  });

  it.each<[string, Forgery]>([
    ["another challenge", { challenge: Buffer.from("chal_of-the-client").toString("base64url") }],
    ["another origin", { origin: "https://id.example.com.evil.example" }],
    ["a frame on another site", { crossOrigin: true }],
    ["another relying party", { rpId: "example.com" }],
    ["the other ceremony", { type: "webauthn.get" }],
    ["an absent user", { userPresent: false }],
  ])("refuses %s", async (_, forgery) => {
    expect(await outcome(register({}, forgery))).toEqual(problem);
  });

  it("refuses a user who was not verified where the policy requires it, and only there", async () => {
    expect(await outcome(register({ userVerification: false }, {}, "required"))).toEqual(problem);
    expect((await register({ userVerification: false })).credential.userVerified).toBe(false);
  });
});

describe("verifying an assertion (§7.2)", () => {
  it("tells the counter, and whether the user was verified", async () => {
    expect(await assert({ counts: true })).toEqual({ signCount: 1, userVerified: true, backedUp: false });
    expect(await assert({ userVerification: false })).toMatchObject({ signCount: 0, userVerified: false });
  });

  it.each<[string, Forgery]>([
    ["another challenge", { challenge: Buffer.from("chal_of-the-client").toString("base64url") }],
    ["another origin", { origin: "https://evil.example" }],
    ["plain HTTP", { origin: "http://id.example.com" }],
    ["a frame on another site", { crossOrigin: true }],
    ["another relying party", { rpId: "evil.example" }],
    ["the other ceremony", { type: "webauthn.create" }],
    ["an absent user", { userPresent: false }],
    ["a spoilt signature", { spoilSignature: true }],
    ["another credential's id", { credentialId: Buffer.alloc(32, 1) }],
    ["another user's handle", { userHandle: Buffer.from("user_mallory").toString("base64url") }],
    ["a changed backup eligibility (step 18)", { backupEligible: true }],
  ])("refuses %s", async (_, forgery) => {
    expect(await outcome(assert({}, forgery))).toEqual(problem);
  });

  it("asks for the user handle where nobody was named (step 6)", async () => {
    const nameless = { userHandleRequired: true };
    expect(await outcome(assert({}, { userHandle: null }, nameless))).toEqual(problem);
    expect(await assert({}, {}, nameless)).toMatchObject({ userVerified: true });
    expect(await assert({}, { userHandle: null })).toMatchObject({ userVerified: true });
  });

  it("refuses a user who was not verified where the policy requires it", async () => {
    const required = { userVerification: "required" } as const;
    expect(await outcome(assert({ userVerification: false }, {}, required))).toEqual(problem);
  });
});

describe("amr of an assertion (RFC 8176)", () => {
  it("is two factors when the user was verified, and tells synced keys from bound ones", () => {
    expect(amrOfAssertion({ userVerified: true, backupEligible: false })).toEqual(["hwk", "user", "mfa"]);
    expect(amrOfAssertion({ userVerified: false, backupEligible: true })).toEqual(["swk", "user"]);
  });
});
