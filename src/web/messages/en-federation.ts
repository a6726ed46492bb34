/** Texts of signing in through somebody else. */
import type { Inline } from "./en.ts";

export const enFederation = {
  federation: {
    /** On a button, after the provider's mark. */
    continueWith: (name: string) => `Continue with ${name}`,
    or: "or",
    /** Under the field for the password, where addresses of some companies lead elsewhere. */
    passwordHint: "Leave it empty to sign in through your organization.",
    passwordMissing: "Please enter your password. Your address leads to no organization.",
    leaving: {
      title: "One moment",
      explanation: (name: Inline): Inline[] => ["We are taking you to ", name, "."],
      submit: "Continue",
    },
    title: "This did not work",
    backToSignIn: "Sign in another way",
    backToAccount: "Back to your account",
    backToClient: (name: Inline): Inline[] => ["Back to ", name],
    problems: {
      trip_lost:
        "This sign-in took too long, was used already, or began in another browser. Please start again.",
      unavailable: "There is no such way to sign in, or it was switched off.",
      denied: "The sign-in was cancelled there. You can try again, or sign in another way.",
      upstream_failed: "The provider did not complete the sign-in. Please try again, or sign in another way.",
      account_disabled: "This account cannot sign in. Please ask an administrator.",
      sign_up_closed: "You have no account here yet, and none can be made this way.",
      subaddress_blocked: "Addresses with a plus sign cannot sign up this way.",
      email_unconfirmed:
        "Your email address is not confirmed. Please confirm it first, at the provider or by the link in our mail.",
      account_exists:
        "There is an account with this address already. Sign in to it another way; then you can connect the provider in your account.",
      linked_elsewhere: "This account of the provider is connected to another account here.",
      link_lost:
        "You are signed in as somebody else by now, or no longer. Please open your account again and retry from there.",
    },
  },
};
