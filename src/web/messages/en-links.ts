/** Texts of what mailed links lead to, and of signing in by a code or a link. */
import type { Inline } from "./en.ts";

export const enLinks = {
  links: {
    approveEmail: {
      title: "Approve another email address",
      explanation:
        "Your account is to have another email address. It is changed when you approve and the new address has confirmed.",
      submit: "Approve",
    },
    confirmEmail: {
      title: "Confirm your new email address",
      explanation: "One click, and this address is confirmed. The old address has to approve, too.",
      submit: "Confirm address",
    },
    keepAccount: {
      title: "Keep your account",
      explanation: "Your account is to be deleted. One click, and it stays.",
      submit: "Keep my account",
    },
    newAddress: "New address",
    outcomes: {
      emailChanged: { title: "Your email address is changed", explanation: "Use the new one from now on." },
      otherConsentMissing: {
        title: "Thank you",
        explanation: "The other address has to agree, too: open the link in the mail that went there.",
      },
      accountKept: {
        title: "Your account stays",
        explanation: "Nothing was deleted. You can sign in again.",
      },
    },
    expiredTitle: "This link no longer works",
    expired: "It may have been used already, or it is too old.",
  },

  passwordless: {
    email_code: {
      title: "Sign in with a code",
      explanation: "We send a code of six digits to your email address.",
      submit: "Send code",
    },
    sms_code: {
      title: "Sign in with a text message",
      explanation: "We text a code of six digits to your phone.",
      submit: "Send code",
    },
    magic_link: {
      title: "Sign in with a link",
      explanation: "We send a link to your email address that signs you in, here in this browser.",
      submit: "Send link",
    },
    otherWay: "Sign in another way",
    phone: "Phone number",
    phoneHint: "With the country's code, such as +49 30 123456.",
    enterCode: "Enter the code",
    code: "Code",
    codeSent: (identifier: Inline): Inline[] => [
      "If there is an account for ",
      identifier,
      ", we sent a code of six digits. It works for ten minutes.",
    ],
    linkSent:
      "If there is an account for your address, we sent a link to it. It works for ten minutes. Keep this page open: it goes on by itself.",
    checkNumber: (number: Inline): Inline[] => [
      "If you open the link on another device, it shows a number. It has to be ",
      number,
      ".",
    ],
    confirmed: "I have opened the link",
    again: "Send another one",
    problems: {
      wrong_code: "This code is not right, or not any more.",
      too_many_attempts: "Too many attempts. Please wait a while and try again.",
    },
    sameBrowser: "One click, and you are signed in.",
    confirmTitle: "Confirm the sign-in",
    otherBrowser:
      "This is not the browser in which the sign-in was begun. Confirm on this device, and the sign-in continues there:",
    numberLabel: "Number shown there",
    device: "Device",
    address: "IP address",
    onlyIfYou:
      "Only confirm if you began this sign-in yourself and see the same number there. Otherwise somebody else would be signed in to your account.",
    confirmSubmit: "Confirm",
    confirmedTitle: "Confirmed",
    goBack: "The sign-in continues in the browser where you began. You can close this page.",
  },

  passwordProblems: {
    guessable: "This password is too easy to guess. Try a longer one, or several unrelated words.",
    breached: "This password has become known in a data breach elsewhere. Please choose another one.",
    reused: "You have used this password before. Please choose another one.",
  },
};
