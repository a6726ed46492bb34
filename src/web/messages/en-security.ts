/** Texts of the page where people look after the security of their account. */
import type { Inline } from "./en.ts";

export const enSecurity = {
  security: {
    title: "Security",
    link: "Security and sign-in",
    back: "Back to your account",
    backToSecurity: "Back to security",
    added: (when: Inline): Inline[] => ["Added ", when],
    lastUsed: (when: Inline): Inline[] => ["Last used ", when],
    neverUsed: "Not used yet",
    manage: "Manage",
    manageNamed: (name: string): string => `Manage ${name}`,
    rename: "Rename",
    name: "Label",
    remove: "Remove",
    cancel: "Cancel",
    notices: {
      factor_added: "Your new second factor is set up.",
      factor_removed: "It is removed.",
      renamed: "It has its new name.",
      devices_forgotten: "It is trusted no more.",
      password_changed: "Your password is changed. All other devices are signed out.",
      email_change_requested:
        "We sent a message to your old and to your new address. Open the link in both to change it.",
      email_change_cancelled: "Your email address stays as it is.",
      api_key_revoked: "The API key was revoked.",
      account_connected: "It is connected: you can sign in with it from now on.",
      account_disconnected: "It is disconnected.",
      export_requested: "Your data is being put together. We send a message when it is ready.",
    },
    problems: {
      last_factor: "A second factor is required here. Set up another one before you remove this one.",
      last_sign_in_method:
        "You could not sign in any more without it. Set a password or add a passkey before you disconnect it.",
      not_possible: "This is not possible now. Please try again.",
    },

    password: {
      title: "Password",
      change: "Change password",
      none: "You have no password: you sign in without one.",
      current: "Current password",
      wrongCurrent: "This is not your password.",
      submit: "Change password",
    },
    email: {
      title: "Email address",
      change: "Change email address",
      pending: (address: Inline): Inline[] => [
        "It becomes ",
        address,
        " when both addresses have agreed by the links we sent.",
      ],
      cancelChange: "Keep the old address",
      newAddress: "New email address",
      explanation: "Both your old and your new address have to agree, each by a link that we mail.",
      submit: "Send the links",
    },
    totp: {
      title: "Authenticator apps",
      none: "No authenticator app is set up.",
      add: "Add an authenticator app",
      removeTitle: "Authenticator app",
      removeHint: "Its codes are good no more when you remove it, and no device stays trusted.",
    },
    passkeys: {
      title: "Passkeys and security keys",
      none: "You have no passkey.",
      add: "Add a passkey",
      synced: "Synced between your devices",
      deviceBound: "On one device only",
      removeTitle: "Passkey",
      removeHint: "You cannot sign in with it any more when you remove it. Delete it on your device, too.",
    },
    backupCodes: {
      title: "Backup codes",
      left: (count: number): string => (count === 1 ? "1 code is left." : `${count} codes are left.`),
      none: "You have no backup codes. They stand in for a second factor: set one up first.",
      regenerate: "New backup codes",
      explanation: "The codes that you have now are good no more when you make new ones.",
    },
    externalAccounts: {
      title: "Accounts elsewhere",
      none: "No account elsewhere is connected to yours.",
      connect: (name: string): string => `Connect ${name}`,
      disconnect: "Disconnect",
      disconnectNamed: (name: string): string => `Disconnect ${name}`,
    },
    devices: {
      title: "Trusted devices",
      none: "No device is trusted.",
      explanation: "On these devices you are not asked for a second factor.",
      until: (when: Inline): Inline[] => ["Trusted until ", when],
      current: "this device",
      forget: "Remove",
      forgetNamed: (device: string): string => `Remove ${device}`,
      forgetAll: "Trust none of them any more",
    },
    data: {
      title: "Your data",
      explanation: "You can have a copy of all that is kept about you.",
      request: "Ask for a copy",
      pending: "Your copy is being made.",
      download: "Download your copy",
      until: (when: Inline): Inline[] => ["Kept until ", when],
    },
    deletion: {
      title: "Delete your account",
      open: "Delete account",
      explanation: (days: number): string =>
        days === 0
          ? "You are signed out everywhere at once, and your account is erased. This cannot be undone."
          : `You are signed out everywhere at once. After ${days === 1 ? "a day" : `${days} days`} your account is erased; until then you can call it off by signing in again.`,
      submit: "Delete my account",
      doneTitle: "Your account will be deleted",
      done: (when: Inline): Inline[] => [
        "You are signed out. Your account is erased on ",
        when,
        " unless you sign in before.",
      ],
    },
  },
};
