/** Every text of the mails; the shape is the contract of all languages. */
export const en = {
  greeting: (name: string | undefined): string => (name === undefined ? "Hello," : `Hello ${name},`),
  fallback: "If the button does not work, open this address:",
  validFor: (duration: string): string => `The link works once, and for ${duration}.`,
  minutes: (count: number): string => (count === 1 ? "one minute" : `${count} minutes`),
  hours: (count: number): string => (count === 1 ? "one hour" : `${count} hours`),

  verifyEmail: {
    subject: (tenant: string): string => `Confirm your email address for ${tenant}`,
    body: (tenant: string): string =>
      `please confirm that this address belongs to your account at ${tenant}.`,
    action: "Confirm address",
    unexpected: "If you did not create an account, ignore this mail: nothing happens without the link.",
  },
  resetPassword: {
    subject: (tenant: string): string => `Reset your password for ${tenant}`,
    body: (tenant: string): string => `somebody, hopefully you, asked to reset your password at ${tenant}.`,
    action: "Choose a new password",
    unexpected: "If it was not you, ignore this mail: your password stays as it is.",
  },
  welcome: {
    subject: (tenant: string): string => `Welcome to ${tenant}`,
    body: (tenant: string): string => `your address is confirmed and your account at ${tenant} is ready.`,
    action: "Open your account",
  },
  newSignIn: {
    subject: (tenant: string): string => `New sign-in to your account at ${tenant}`,
    body: (tenant: string): string => `somebody signed in to your account at ${tenant}:`,
    time: "Time",
    device: "Device",
    address: "IP address",
    action: "Look at your account",
    expected: "If it was you, there is nothing to do.",
    unexpected: "If it was not you, change your password now: that signs out all devices.",
  },
  alreadyRegistered: {
    subject: (tenant: string): string => `You already have an account at ${tenant}`,
    body: (tenant: string): string =>
      `somebody, hopefully you, tried to create an account at ${tenant} with this address. It already has one.`,
    action: "Sign in",
    forgotten: "If you forgot your password, the sign-in page lets you choose a new one.",
    unexpected: "If it was not you, ignore this mail: nothing was changed.",
  },
};

export type MailMessages = typeof en;
