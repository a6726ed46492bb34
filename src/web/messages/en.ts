/**
 * Every text of the hosted pages. The shape of this object is the contract of all languages: one that lacks a key or
 * takes other arguments is a type error. `Inline` arguments may be markup, so that a name can be set apart.
 */
import type { ComponentChild } from "preact";
import { enAdministration } from "./en-administration.ts";
import { enFederation } from "./en-federation.ts";
import { enLinks } from "./en-links.ts";
import { enSecondFactor } from "./en-second-factor.ts";
import { enSecurity } from "./en-security.ts";

export type Inline = ComponentChild;

/** The kinds of characters a password policy can ask for. */
export type CharacterClass = "uppercase" | "lowercase" | "digit" | "symbol";

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[], and: string): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${and} ${last}`;
}

export const en = {
  continueTo: (client: Inline): Inline[] => ["to continue to ", client],
  errorSummary: "Please check the following:",
  optional: "optional",
  backToSignIn: "Back to sign in",
  requestId: "Request ID",
  email: "Email address",
  password: "Password",
  newPassword: "New password",
  username: "Username",
  givenName: "First name",
  familyName: "Last name",
  fieldProblems: {
    email: "Please enter a valid email address.",
    username: "3 to 128 letters, digits, dots, hyphens and underscores, beginning with a letter or digit.",
    usernameTaken: "This username is taken. Please choose another one.",
    tooLong: "At most 128 characters.",
  },
  developmentMailbox: "Open the development mailbox",

  signIn: {
    title: "Sign in",
    identifier: "Email address or username",
    rememberMe: "Keep me signed in on this device",
    submit: "Sign in",
    forgotPassword: "Forgot your password?",
    noAccount: "No account yet?",
    signUp: "Create one",
    problems: {
      invalid_credentials: "The identifier or the password is not right.",
      email_not_verified: "Please confirm your email address first: open the link in the mail we sent you.",
      too_many_attempts: "Too many attempts. Please wait a while and try again.",
      expired: "This page was open for too long. Please try again.",
    },
    notices: {
      email_verified: "Your email address is confirmed. You can sign in now.",
      password_reset: "Your password is changed. Sign in with the new one.",
      signed_out: "You are signed out.",
    },
  },

  signUp: {
    title: "Create your account",
    submit: "Create account",
    haveAccount: "Already have an account?",
    signIn: "Sign in",
    usernameHint: "Letters, digits, dots, hyphens and underscores.",
    characterClasses: {
      uppercase: "an upper-case letter",
      lowercase: "a lower-case letter",
      digit: "a digit",
      symbol: "a symbol",
    },
    passwordRules: (minLength: number, classes: readonly string[]): string =>
      `At least ${minLength} characters${classes.length > 0 ? `, with ${joinWords(classes, "and")}` : ""}.`,
  },

  checkYourMail: {
    title: "Check your mail",
    verify: (email: Inline): Inline[] => [
      "We sent a message to ",
      email,
      ". Open the link in it to confirm your address.",
    ],
    reset: (email: Inline): Inline[] => [
      "If there is an account for ",
      email,
      ", we sent a message with a link to choose a new password.",
    ],
    hint: "It can take a minute to arrive. Look into your spam folder, too.",
    resend: "Send it again",
    resent: "The message is on its way again.",
  },

  verifyEmail: {
    title: "Confirm your email address",
    explanation: "One click, and your address is confirmed.",
    submit: "Confirm address",
    expiredTitle: "This link no longer works",
    expired: "It may have been used already, or it is too old. Sign in to have a new one sent.",
  },

  forgotPassword: {
    title: "Reset your password",
    explanation: "Tell us your email address, and we send you a link to choose a new password.",
    submit: "Send link",
  },

  resetPassword: {
    title: "Choose a new password",
    submit: "Change password",
    expiredTitle: "This link no longer works",
    expired: "It may have been used already, or it is too old.",
    again: "Ask for a new link",
  },

  ...enAdministration,
  ...enFederation,
  ...enLinks,
  ...enSecondFactor,
  ...enSecurity,

  unlock: {
    title: "Unlock your account",
    explanation:
      "Your account was locked after too many failed sign-ins. One click, and it takes sign-ins again.",
    submit: "Unlock account",
    doneTitle: "Your account is unlocked",
    done: "You can sign in again.",
    expiredTitle: "This link no longer works",
    expired: "It may have been used already, or it is too old. A lock ends by itself after a while.",
  },

  consent: {
    title: (client: Inline): Inline[] => [client, " asks for access"],
    documentTitle: "Allow access",
    signedInAs: (user: Inline): Inline[] => ["You are signed in as ", user, "."],
    otherAccount: "Use another account",
    wants: "If you allow it, the application can:",
    allow: "Allow",
    deny: "Deny",
    redirect: (host: Inline): Inline[] => ["You will be sent to ", host, "."],
    homepage: "Website",
    policy: "Privacy policy",
    terms: "Terms of service",
    scopes: {
      openid: "Confirm who you are",
      profile: "See your profile, such as your name and username",
      email: "See your email address",
      phone: "See your phone number",
      address: "See your postal address",
      offline_access: "Keep this access while you are away",
    },
    resources: "This access is for:",
    unverified:
      "This application registered itself. Its name is what it says about itself: nobody here has checked it.",
    unverifiedFrom: (host: Inline): Inline[] => [
      "This application comes from ",
      host,
      ". Nobody here has checked what else it says about itself.",
    ],
    local:
      "It runs on your own device. Allow it only if you have just started this sign-in yourself: another program could pretend to be it.",
    otherScope: (scope: Inline): Inline[] => ["Use the permission ", scope],
  },

  selectAccount: {
    title: "Choose an account",
    goOn: (user: Inline): Inline[] => ["Continue as ", user],
    other: "Use another account",
  },

  device: {
    title: "Connect a device",
    explanation: "Enter the code that your device shows.",
    userCode: "Code",
    hint: "Eight letters. Capitals and the dash do not matter.",
    next: "Continue",
    problems: {
      unknown_code: "This code is not right, or no longer valid. Ask your device for a new one.",
      too_many_attempts: "Too many codes that were not right. Please wait a while and try again.",
    },
    decisionTitle: (client: Inline): Inline[] => ["Sign in to ", client, " on another device?"],
    warning:
      "Only allow this if the device is in front of you and shows the same code. If somebody sent you the code or the link, deny it: they would get into your account.",
    code: "Code",
    from: "Asked from",
    device: "Device",
    sameNetwork: "the network you are in now",
    unknownPlace: "unknown",
    allowedTitle: "Your device is connected",
    allowed: "You can close this page. The device goes on by itself in a moment.",
    deniedTitle: "Access denied",
    denied: "The device does not get into your account. You can close this page.",
  },

  account: {
    title: "Your account",
    name: "Name",
    verified: "confirmed",
    unverified: "not confirmed",
    sendVerification: "Send a confirmation link",
    signOut: "Sign out",
    notices: {
      verification_sent: "The message is on its way again.",
      session_ended: "That device is signed out.",
      sessions_ended: "All other devices are signed out.",
      grant_revoked: "The application has no access any more.",
    },
    sessions: {
      title: "Where you are signed in",
      device: (browser: string, system: string): string => `${browser} on ${system}`,
      unknownDevice: "Unknown device",
      current: "this device",
      lastUsed: (when: Inline): Inline[] => ["Last used ", when],
      since: (when: Inline): Inline[] => ["Signed in ", when],
      applications: (names: string): string => `Applications: ${names}`,
      end: "Sign out",
      endNamed: (device: string): string => `Sign out ${device}`,
      endOthers: "Sign out everywhere else",
    },
    grants: {
      title: "Connected applications",
      none: "No application has access to your account.",
      since: (when: Inline): Inline[] => ["Access since ", when],
      lastUsed: (when: Inline): Inline[] => ["Last used ", when],
      revoke: "Remove access",
      revokeNamed: (client: string): string => `Remove access: ${client}`,
    },
  },

  logout: {
    title: "Sign out",
    question: (user: Inline): Inline[] => ["You are signed in as ", user, ". Do you want to sign out?"],
    asked: (client: Inline): Inline[] => ["You were sent here by ", client, "."],
    confirm: "Sign out",
    stay: "Stay signed in",
    doneTitle: "You are signed out",
    done: "You can close this page.",
    backTo: (client: Inline): Inline[] => ["Back to ", client],
    signIn: "Sign in again",
  },

  landing: {
    explanation: "This is where people of this service sign in and look after their accounts.",
    signIn: "Sign in",
    signUp: "Create an account",
    docs: "API documentation",
  },

  formPost: {
    title: "Returning to the application",
    explanation: "If nothing happens, press the button.",
    submit: "Continue",
  },

  error: {
    titles: {
      bad_request: "This request does not work",
      forbidden: "This is not allowed",
      not_found: "Page not found",
      too_many_requests: "Too many requests",
      unavailable: "Not available just now",
      internal: "Something went wrong",
    },
    messages: {
      bad_request: "The link or form that brought you here is not complete or no longer valid.",
      forbidden: "You are not allowed to open this page.",
      not_found: "There is nothing at this address.",
      too_many_requests: "Please wait a while and try again.",
      unavailable: "The service cannot answer at the moment. Please try again in a minute.",
      internal: "The fault is on our side. Please try again; if it stays, tell us the request ID below.",
    },
    code: "Error code",
    home: "Go to the start page",
  },

  mailbox: {
    title: "Development mailbox",
    explanation: "Mail that would have been sent. Nothing here leaves this machine.",
    empty: "No mail yet.",
    choose: "Choose a message to read it.",
    messages: "Messages",
    to: "To",
    received: "Time",
    text: "Plain text",
    html: "HTML",
  },
};

export type Messages = typeof en;
