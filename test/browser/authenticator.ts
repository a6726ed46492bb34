/** Chromium's virtual authenticator (WebAuthn Level 3 §11), by the DevTools protocol: a passkey provider without a person. */
import type { CDPSession, Page } from "playwright-core";

export interface VirtualCredential {
  credentialId: string;
  isResidentCredential: boolean;
  rpId?: string;
  privateKey: string;
  userHandle?: string;
  signCount: number;
}

export interface VirtualAuthenticator {
  credentials(): Promise<VirtualCredential[]>;
  /** Puts a copy of a credential in the place of it, as whoever cloned the authenticator has it. */
  replace(credential: VirtualCredential): Promise<void>;
  /** Whether somebody touches it as soon as it is asked for. */
  answer(answers: boolean): Promise<void>;
  /** Whether it verifies who touches it. */
  verifyUser(verifies: boolean): Promise<void>;
  remove(): Promise<void>;
}

/** An authenticator for one page. Another page has none until it is given one. */
export async function addAuthenticator(
  page: Page,
  options: { transport?: "internal" | "usb" } = {},
): Promise<VirtualAuthenticator> {
  const cdp: CDPSession = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: options.transport ?? "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    credentials: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    async replace(credential) {
      await cdp.send("WebAuthn.clearCredentials", { authenticatorId });
      await cdp.send("WebAuthn.addCredential", { authenticatorId, credential });
    },
    async answer(enabled) {
      await cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
    },
    async verifyUser(isUserVerified) {
      await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
    },
    async remove() {
      await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
    },
  };
}
