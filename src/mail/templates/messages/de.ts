import type { MailMessages } from "./en.ts";

export const de: MailMessages = {
  greeting: (name) => (name === undefined ? "Guten Tag," : `Guten Tag ${name},`),
  fallback: "Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
  validFor: (duration) => `Der Link gilt einmal und für ${duration}.`,
  minutes: (count) => (count === 1 ? "eine Minute" : `${count} Minuten`),
  hours: (count) => (count === 1 ? "eine Stunde" : `${count} Stunden`),

  verifyEmail: {
    subject: (tenant) => `Bestätigen Sie Ihre E-Mail-Adresse für ${tenant}`,
    body: (tenant) => `bitte bestätigen Sie, dass diese Adresse zu Ihrem Konto bei ${tenant} gehört.`,
    action: "Adresse bestätigen",
    unexpected:
      "Wenn Sie kein Konto angelegt haben, können Sie diese Nachricht ignorieren: Ohne den Link geschieht nichts.",
  },
  resetPassword: {
    subject: (tenant) => `Passwort für ${tenant} zurücksetzen`,
    body: (tenant) => `jemand, hoffentlich Sie, möchte das Passwort Ihres Kontos bei ${tenant} zurücksetzen.`,
    action: "Neues Passwort wählen",
    unexpected:
      "Wenn Sie das nicht waren, können Sie diese Nachricht ignorieren: Ihr Passwort bleibt, wie es ist.",
  },
  welcome: {
    subject: (tenant) => `Willkommen bei ${tenant}`,
    body: (tenant) => `Ihre Adresse ist bestätigt und Ihr Konto bei ${tenant} ist bereit.`,
    action: "Konto öffnen",
  },
  newSignIn: {
    subject: (tenant) => `Neue Anmeldung an Ihrem Konto bei ${tenant}`,
    body: (tenant) => `jemand hat sich an Ihrem Konto bei ${tenant} angemeldet:`,
    time: "Zeit",
    device: "Gerät",
    address: "IP-Adresse",
    action: "Konto ansehen",
    expected: "Wenn Sie das waren, ist nichts zu tun.",
    unexpected: "Wenn nicht, ändern Sie jetzt Ihr Passwort: Damit werden alle Geräte abgemeldet.",
  },
  alreadyRegistered: {
    subject: (tenant) => `Sie haben schon ein Konto bei ${tenant}`,
    body: (tenant) =>
      `jemand, hoffentlich Sie, wollte mit dieser Adresse ein Konto bei ${tenant} anlegen. Es gibt schon eines.`,
    action: "Anmelden",
    forgotten: "Wenn Sie Ihr Passwort vergessen haben, wählen Sie auf der Anmeldeseite ein neues.",
    unexpected: "Wenn Sie das nicht waren, können Sie diese Nachricht ignorieren: Nichts wurde geändert.",
  },
};
