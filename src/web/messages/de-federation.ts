import type { Inline } from "./en.ts";
import type { enFederation } from "./en-federation.ts";

export const deFederation: typeof enFederation = {
  federation: {
    continueWith: (name: string) => `Weiter mit ${name}`,
    or: "oder",
    passwordHint: "Leer lassen, um sich über Ihre Organisation anzumelden.",
    passwordMissing: "Bitte geben Sie Ihr Passwort ein. Ihre Adresse führt zu keiner Organisation.",
    leaving: {
      title: "Einen Moment",
      explanation: (name: Inline): Inline[] => ["Wir bringen Sie zu ", name, "."],
      submit: "Weiter",
    },
    title: "Das hat nicht geklappt",
    backToSignIn: "Auf andere Weise anmelden",
    backToAccount: "Zurück zu Ihrem Konto",
    backToClient: (name: Inline): Inline[] => ["Zurück zu ", name],
    problems: {
      trip_lost:
        "Diese Anmeldung hat zu lange gedauert, wurde schon benutzt oder begann in einem anderen Browser. Bitte beginnen Sie von vorn.",
      unavailable: "Diesen Weg der Anmeldung gibt es nicht, oder er wurde abgeschaltet.",
      denied:
        "Die Anmeldung wurde dort abgebrochen. Sie können es erneut versuchen oder sich auf andere Weise anmelden.",
      upstream_failed:
        "Der Anbieter hat die Anmeldung nicht abgeschlossen. Bitte versuchen Sie es erneut, oder melden Sie sich auf andere Weise an.",
      account_disabled:
        "Mit diesem Konto ist keine Anmeldung möglich. Bitte wenden Sie sich an die Administration.",
      sign_up_closed: "Sie haben hier noch kein Konto, und auf diesem Weg kann keines angelegt werden.",
      subaddress_blocked: "Mit Adressen, die ein Pluszeichen enthalten, kann man sich so nicht registrieren.",
      email_unconfirmed:
        "Ihre E-Mail-Adresse ist nicht bestätigt. Bitte bestätigen Sie sie zuerst, beim Anbieter oder über den Link in unserer Nachricht.",
      account_exists:
        "Zu dieser Adresse gibt es schon ein Konto. Melden Sie sich dort auf andere Weise an; dann können Sie den Anbieter in Ihrem Konto verbinden.",
      linked_elsewhere: "Dieses Konto des Anbieters ist hier mit einem anderen Konto verbunden.",
      link_lost:
        "Sie sind inzwischen als jemand anderes angemeldet oder gar nicht mehr. Bitte öffnen Sie Ihr Konto erneut und versuchen Sie es von dort.",
    },
  },
};
