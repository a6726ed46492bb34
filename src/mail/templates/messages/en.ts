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
  unlockAccount: {
    subject: (tenant: string): string => `Your account at ${tenant} is locked for now`,
    body: (tenant: string): string =>
      `somebody, perhaps you, tried to sign in to your account at ${tenant} and was wrong too often. It takes no sign-ins for a while, not even with the right password.`,
    waiting: "You can wait, or unlock it now:",
    action: "Unlock account",
    unexpected:
      "If it was not you, these attempts let nobody in. If your password is short, or you use it elsewhere too, choose a new one.",
  },
  alreadyRegistered: {
    subject: (tenant: string): string => `You already have an account at ${tenant}`,
    body: (tenant: string): string =>
      `somebody, hopefully you, tried to create an account at ${tenant} with this address. It already has one.`,
    action: "Sign in",
    forgotten: "If you forgot your password, the sign-in page lets you choose a new one.",
    unexpected: "If it was not you, ignore this mail: nothing was changed.",
  },
  newAddress: "New address",
  passwordChanged: {
    subject: (tenant: string): string => `Your password at ${tenant} was changed`,
    body: (tenant: string): string => `the password of your account at ${tenant} was just changed.`,
    action: "Look at your account",
    unexpected:
      "If it was not you, reset your password now, on the sign-in page: that signs out all devices.",
  },
  impersonated: {
    subject: (tenant: string): string => `An administrator of ${tenant} signed in as you`,
    body: (tenant: string): string =>
      `an administrator of ${tenant} signed in to your account, on your behalf.`,
    duration: "For",
    atMost: (minutes: number): string => (minutes === 1 ? "at most 1 minute" : `at most ${minutes} minutes`),
    reason: "Reason",
    action: "See where you are signed in",
    limits:
      "They could see your account and use your applications. They could not change your password, your address or how you sign in.",
    unexpected: "If you have questions about it, ask whoever runs the service.",
  },
  emailChangeRequested: {
    subject: (tenant: string): string => `Approve another email address for ${tenant}`,
    body: (tenant: string): string =>
      `somebody, hopefully you, wants your account at ${tenant} to have another email address. It is changed when you approve here and the new address confirms.`,
    action: "Approve the new address",
    unexpected:
      "If it was not you, do not approve, and change your password: somebody else is signed in to your account.",
  },
  confirmNewEmail: {
    subject: (tenant: string): string => `Confirm your new email address for ${tenant}`,
    body: (tenant: string): string =>
      `please confirm that your account at ${tenant} is to have this address. Your old address has to approve, too.`,
    action: "Confirm address",
    unexpected: "If you have no account there, ignore this mail: nothing happens without the link.",
  },
  emailChanged: {
    subject: (tenant: string): string => `Your email address at ${tenant} was changed`,
    body: (tenant: string): string => `your account at ${tenant} has another email address from now on.`,
    action: "Look at your account",
    unexpected: "If it was not you, get in touch with us at once.",
  },
  accountDeletionRequested: {
    subject: (tenant: string): string => `Your account at ${tenant} will be deleted`,
    body: (tenant: string): string =>
      `as you asked, your account at ${tenant} will be deleted with all that belongs to it. You are signed out everywhere.`,
    due: "It is deleted on",
    action: "Keep my account",
    unexpected:
      "If you think better of it, or if it was not you: the link, or signing in, keeps the account.",
  },
  accountDeleted: {
    subject: (tenant: string): string => `Your account at ${tenant} is deleted`,
    body: (tenant: string): string => `your account at ${tenant} is deleted, and your personal data with it.`,
    farewell: "This is the last mail to this address.",
  },
  dataExportReady: {
    subject: (tenant: string): string => `The copy of your data at ${tenant} is ready`,
    body: (tenant: string): string =>
      `the copy of your data that you asked for at ${tenant} is ready. It is kept for seven days, and opens only for you, signed in.`,
    action: "Open your account",
    unexpected:
      "If you did not ask for one, change your password: somebody else is signed in to your account.",
  },
  webhookDisabled: {
    subject: (tenant: string): string => `A webhook of ${tenant} was disabled`,
    body: (tenant: string): string =>
      `a receiver of webhooks of ${tenant} could not be reached for days, or said that it is gone. It was disabled and is told of nothing any more.`,
    receiver: "Receiver",
    action: "Open the server",
    next: "Once it works again, enable it: what could not be delivered can be sent once more from its deliveries.",
  },
  dormantAccounts: {
    subject: (tenant: string): string => `Accounts of ${tenant} that nobody uses`,
    body: (tenant: string, days: number): string =>
      `these accounts of ${tenant} are enabled, and nobody signed in to them in the last ${days} days. An account that nobody watches is the easiest one to take over.`,
    dormant: "Signed in before, not since",
    neverSignedIn: "Never signed in",
    administrators: "Administrators among them",
    action: "Open the server",
    next: "Disable what is not needed any more: a disabled account keeps its data and can be enabled again.",
  },
  factor: {
    kind: "Kind",
    name: "Name",
    totp: "Authenticator app",
    webauthn: "Passkey",
    sms_code: "Phone number",
  },
  factorAdded: {
    subject: (tenant: string): string => `A second factor was added to your account at ${tenant}`,
    body: (tenant: string): string => `from now on you can prove who you are at ${tenant} with this, too:`,
    action: "Look at your account",
    unexpected:
      "If it was not you, remove it and change your password now: somebody else is signed in to your account.",
  },
  factorRemoved: {
    subject: (tenant: string): string => `A second factor was removed from your account at ${tenant}`,
    body: (tenant: string): string => `this can no longer be used to prove who you are at ${tenant}:`,
    action: "Look at your account",
    unexpected: "If it was not you, change your password now: somebody else is signed in to your account.",
  },
  magicLink: {
    subject: (tenant: string): string => `Sign in to ${tenant}`,
    body: (tenant: string): string =>
      `this link signs you in to ${tenant}, in the browser in which you asked for it.`,
    action: "Sign in",
    unexpected: "If you did not ask for it, ignore this mail, and do not confirm anything.",
  },
  emailCode: {
    subject: (tenant: string, code: string): string => `${code} is your code for ${tenant}`,
    body: (tenant: string): string => `somebody, hopefully you, is signing in to ${tenant} with this code:`,
    code: "Code",
    validFor: (duration: string): string => `The code works once, and for ${duration}.`,
    unexpected: "Never tell it to anybody. If you did not ask for it, ignore this mail.",
  },
};

export type MailMessages = typeof en;
