/** Texts of API keys, and of administrators who are signed in as somebody else. */
import type { Inline } from "./en.ts";

export const enAdministration = {
  apiKeys: {
    title: "API keys",
    explanation: "A program that has a key of yours acts as you. Whoever sees a key can use it.",
    none: "You have no API keys.",
    add: "Make an API key",
    created: (when: Inline): Inline[] => ["Made ", when],
    until: (when: Inline): Inline[] => ["Ends ", when],
    revoke: "Revoke",
    revokeNamed: (name: string): string => `Revoke the API key ${name}`,
    form: {
      title: "Make an API key",
      name: "Name",
      nameHint: "What will use it, such as “Backup script”.",
      days: "Days until it ends",
      scopes: "What it may do",
      submit: "Make the key",
    },
    shown: {
      title: "Your new API key",
      explanation: "Copy it now: it is shown this once and cannot be looked up again.",
      label: "API key",
      done: "I have copied it",
    },
  },
  impersonation: {
    banner: (user: Inline, by: Inline): Inline[] => [
      "You are signed in as ",
      user,
      " on behalf of ",
      by,
      ".",
    ],
    end: "End",
    title: "Sign in as somebody else",
    explanation: (user: Inline, by: Inline): Inline[] => [
      "You are about to be signed in as ",
      user,
      ". Whatever you do is recorded as done by ",
      by,
      ".",
    ],
    submit: "Sign in as this user",
    expired: "This link was used, is too old, or belongs to another browser. Please ask for a new one.",
    ended: "This sign-in is over.",
    session: "an administrator, as you",
  },
};
