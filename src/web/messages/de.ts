import { type Inline, joinWords, type Messages } from "./en.ts";

export const de: Messages = {
  continueTo: (client: Inline) => ["um mit ", client, " fortzufahren"],
  errorSummary: "Bitte prüfen Sie Folgendes:",
  optional: "freiwillig",
  backToSignIn: "Zurück zur Anmeldung",
  requestId: "Anfragenummer",
  email: "E-Mail-Adresse",
  password: "Passwort",
  newPassword: "Neues Passwort",
  username: "Benutzername",
  givenName: "Vorname",
  familyName: "Nachname",
  fieldProblems: {
    email: "Bitte geben Sie eine gültige E-Mail-Adresse ein.",
    username:
      "3 bis 128 Buchstaben, Ziffern, Punkte, Binde- und Unterstriche, am Anfang ein Buchstabe oder eine Ziffer.",
    usernameTaken: "Dieser Benutzername ist vergeben. Bitte wählen Sie einen anderen.",
    tooLong: "Höchstens 128 Zeichen.",
  },
  developmentMailbox: "Entwicklungs-Postfach öffnen",

  signIn: {
    title: "Anmelden",
    identifier: "E-Mail-Adresse oder Benutzername",
    rememberMe: "Auf diesem Gerät angemeldet bleiben",
    submit: "Anmelden",
    forgotPassword: "Passwort vergessen?",
    noAccount: "Noch kein Konto?",
    signUp: "Konto anlegen",
    problems: {
      invalid_credentials: "Die Kennung oder das Passwort stimmt nicht.",
      email_not_verified:
        "Bitte bestätigen Sie zuerst Ihre E-Mail-Adresse: Öffnen Sie den Link in unserer Nachricht.",
      too_many_attempts: "Zu viele Versuche. Bitte warten Sie eine Weile und versuchen Sie es erneut.",
      expired: "Diese Seite war zu lange geöffnet. Bitte versuchen Sie es noch einmal.",
    },
    notices: {
      email_verified: "Ihre E-Mail-Adresse ist bestätigt. Sie können sich jetzt anmelden.",
      password_reset: "Ihr Passwort ist geändert. Melden Sie sich mit dem neuen an.",
      signed_out: "Sie sind abgemeldet.",
    },
  },

  signUp: {
    title: "Konto anlegen",
    submit: "Konto anlegen",
    haveAccount: "Sie haben schon ein Konto?",
    signIn: "Anmelden",
    usernameHint: "Buchstaben, Ziffern, Punkte, Binde- und Unterstriche.",
    characterClasses: {
      uppercase: "einem Großbuchstaben",
      lowercase: "einem Kleinbuchstaben",
      digit: "einer Ziffer",
      symbol: "einem Sonderzeichen",
    },
    passwordRules: (minLength, classes) =>
      `Mindestens ${minLength} Zeichen${classes.length > 0 ? ` mit ${joinWords(classes, "und")}` : ""}.`,
  },

  checkYourMail: {
    title: "Sehen Sie in Ihr Postfach",
    verify: (email: Inline) => [
      "Wir haben eine Nachricht an ",
      email,
      " geschickt. Öffnen Sie den Link darin, um Ihre Adresse zu bestätigen.",
    ],
    reset: (email: Inline) => [
      "Wenn es ein Konto für ",
      email,
      " gibt, haben wir einen Link geschickt, mit dem Sie ein neues Passwort wählen können.",
    ],
    hint: "Das kann eine Minute dauern. Sehen Sie auch im Spam-Ordner nach.",
    resend: "Noch einmal senden",
    resent: "Die Nachricht ist noch einmal unterwegs.",
  },

  verifyEmail: {
    title: "E-Mail-Adresse bestätigen",
    explanation: "Ein Klick, und Ihre Adresse ist bestätigt.",
    submit: "Adresse bestätigen",
    expiredTitle: "Dieser Link gilt nicht mehr",
    expired:
      "Er wurde vielleicht schon benutzt oder ist zu alt. Melden Sie sich an, um einen neuen zu bekommen.",
  },

  forgotPassword: {
    title: "Passwort zurücksetzen",
    explanation:
      "Nennen Sie uns Ihre E-Mail-Adresse, und wir schicken Ihnen einen Link, mit dem Sie ein neues Passwort wählen.",
    submit: "Link senden",
  },

  resetPassword: {
    title: "Neues Passwort wählen",
    submit: "Passwort ändern",
    expiredTitle: "Dieser Link gilt nicht mehr",
    expired: "Er wurde vielleicht schon benutzt oder ist zu alt.",
    again: "Neuen Link anfordern",
  },

  consent: {
    title: (client: Inline) => [client, " bittet um Zugriff"],
    documentTitle: "Zugriff erlauben",
    signedInAs: (user: Inline) => ["Sie sind angemeldet als ", user, "."],
    otherAccount: "Anderes Konto verwenden",
    wants: "Wenn Sie zustimmen, kann die Anwendung:",
    allow: "Erlauben",
    deny: "Ablehnen",
    redirect: (host: Inline) => ["Sie werden zu ", host, " weitergeleitet."],
    homepage: "Website",
    policy: "Datenschutzerklärung",
    terms: "Nutzungsbedingungen",
    scopes: {
      openid: "Bestätigen, wer Sie sind",
      profile: "Ihr Profil sehen, etwa Namen und Benutzernamen",
      email: "Ihre E-Mail-Adresse sehen",
      phone: "Ihre Telefonnummer sehen",
      address: "Ihre Postanschrift sehen",
      offline_access: "Diesen Zugriff behalten, wenn Sie nicht da sind",
    },
    otherScope: (scope: Inline) => ["Die Berechtigung ", scope, " nutzen"],
  },

  account: {
    title: "Ihr Konto",
    name: "Name",
    verified: "bestätigt",
    unverified: "nicht bestätigt",
    sendVerification: "Bestätigungslink senden",
    signOut: "Abmelden",
  },

  landing: {
    explanation: "Hier melden sich die Nutzer dieses Dienstes an und verwalten ihr Konto.",
    signIn: "Anmelden",
    signUp: "Konto anlegen",
    docs: "API-Dokumentation",
  },

  formPost: {
    title: "Zurück zur Anwendung",
    explanation: "Falls nichts geschieht, drücken Sie den Knopf.",
    submit: "Weiter",
  },

  error: {
    titles: {
      bad_request: "Diese Anfrage funktioniert nicht",
      forbidden: "Das ist nicht erlaubt",
      not_found: "Seite nicht gefunden",
      too_many_requests: "Zu viele Anfragen",
      unavailable: "Zurzeit nicht verfügbar",
      internal: "Etwas ist schiefgegangen",
    },
    messages: {
      bad_request:
        "Der Link oder das Formular, über das Sie kamen, ist unvollständig oder nicht mehr gültig.",
      forbidden: "Sie dürfen diese Seite nicht öffnen.",
      not_found: "Unter dieser Adresse gibt es nichts.",
      too_many_requests: "Bitte warten Sie eine Weile und versuchen Sie es erneut.",
      unavailable: "Der Dienst kann gerade nicht antworten. Bitte versuchen Sie es in einer Minute wieder.",
      internal:
        "Der Fehler liegt bei uns. Bitte versuchen Sie es erneut; bleibt er, nennen Sie uns die Anfragenummer.",
    },
    code: "Fehlercode",
    home: "Zur Startseite",
  },

  mailbox: {
    title: "Entwicklungs-Postfach",
    explanation: "Nachrichten, die verschickt worden wären. Nichts davon verlässt diesen Rechner.",
    empty: "Noch keine Nachrichten.",
    choose: "Wählen Sie eine Nachricht aus.",
    messages: "Nachrichten",
    to: "An",
    received: "Zeit",
    text: "Nur Text",
    html: "HTML",
  },
};
