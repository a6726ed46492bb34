/** Texts of second factors and passkeys on the way into an account. */
import type { Inline } from "./en.ts";

export const enSecondFactor = {
  passkeys: {
    signIn: "Sign in with a passkey",
    signUp: "Create an account with a passkey",
    noScript: "Passkeys need JavaScript, and a browser that knows them.",
    failed: "No passkey was used. Please try again, or choose another way.",
    notCreated: "No passkey was created. Please try again.",
    known: "This device, or this key, has a passkey for your account already.",
    refused: "This passkey was not accepted. Please sign in another way.",
    unverified: "This passkey did not verify who you are. Please sign in another way.",
  },

  secondFactor: {
    title: "Confirm that it is you",
    stepUp: "Please confirm it again before you go on.",
    stepUpFor: (client: Inline): Inline[] => [client, " asks you to confirm that it is you."],
    otherWays: "Other ways",
    code: "Code",
    trust: (days: number): string =>
      days === 1
        ? "Do not ask again on this device for a day"
        : `Do not ask again on this device for ${days} days`,
    submit: "Confirm",
    cancel: "Cancel and sign in again",
    back: "Back to your account",
    methods: {
      webauthn: {
        name: "Passkey or security key",
        explanation: "Use a passkey of this account: your device asks for it.",
        submit: "Use a passkey",
      },
      totp: {
        name: "Authenticator app",
        explanation: "Enter the code of six digits that your authenticator app shows now.",
      },
      email_code: {
        name: "Code by email",
        explanation: "We send a code of six digits to your email address. It works for ten minutes.",
      },
      sms_code: {
        name: "Code by text message",
        explanation: "We text a code of six digits to your phone. It works for ten minutes.",
      },
      backup_code: {
        name: "Backup code",
        explanation: "Enter one of the backup codes that you kept. Each works once.",
      },
      password: { name: "Password", explanation: "Enter your password." },
    },
    send: "Send a code",
    resend: "Send another code",
    notices: {
      sent: "A code is on its way.",
      wait: "A code was sent just now. Please give it a moment before you ask for another one.",
    },
    problems: {
      wrong_answer: "This is not right. Please try again.",
      too_many_attempts: "Too many attempts. Please wait a while and try again.",
      no_code: "No code could be sent. Please choose another way.",
      no_passkey: "No passkey was used. Please try again, or choose another way.",
      not_enough: "This was not enough. Please choose another way.",
    },
    expired:
      "This sign-in is over: it took too long, or too many answers were wrong. Please start again. Too many wrong answers lock an account for a while; a mail then tells how to unlock it.",
    noneLeft: "There is nothing that you could prove it with here. Please sign in again.",
    signInAgain: "Sign in again",
    noneYet: "You have no second factor yet, and this needs one. Set one up now to go on.",
  },

  enroll: {
    title: "Protect your account",
    explanation: "Everybody here needs a second factor beside the password. Choose one to set up.",
    totp: "Use an authenticator app",
    totpHint: "An app on your phone shows a new code every 30 seconds.",
    passkey: "Use a passkey or a security key",
    passkeyHint: "Your fingerprint, your face, the PIN of your device, or a key that you plug in.",
    totpTitle: "Set up an authenticator app",
    scan: "Scan this picture with the app:",
    qrCode: "QR code that holds the key below",
    openApp: "Open it in an app on this device",
    manual: "Or type this key into the app:",
    confirm: "Then enter the code that the app shows:",
    submit: "Confirm",
    wrongCode: "This code is not right. Please wait for the next one, or scan the picture again.",
    passkeyTitle: "Create a passkey",
    passkeyExplanation: "Your device will ask where to keep it.",
    create: "Create a passkey",
    other: "Choose another way",
    cancel: "Cancel",
    deviceName: "Name of this device or key",
    deviceNameHint: "So that you recognise it later.",
    badName: "1 to 128 characters, please.",
    nameTaken: "There is one of this name already. Please choose another name.",
    tooMany: "There are too many of these. Please remove one first.",
    next: "Continue",
    backupCodes: {
      title: "Keep your backup codes",
      explanation:
        "Each of these codes works once, in the place of your second factor, when you have lost it. Keep them where nobody else finds them.",
      once: "They are shown this once and never again.",
      list: "Backup codes",
      download: "Download as text",
      print: "Print",
      done: "I have kept them: continue",
      fileHeading: (tenant: string): string => `Backup codes for ${tenant}. Each works once.`,
    },
  },

  passkeySignUp: {
    title: "Create your account with a passkey",
    explanation:
      "No password to remember: you sign in with your fingerprint, your face or the PIN of your device.",
    submit: "Continue with a passkey",
    withPassword: "Choose a password instead",
  },
};
