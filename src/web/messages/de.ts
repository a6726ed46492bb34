import { deAdministration } from "./de-administration.ts";
import { deFederation } from "./de-federation.ts";
import { deLinks } from "./de-links.ts";
import { deSecondFactor } from "./de-second-factor.ts";
import { deSecurity } from "./de-security.ts";
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

  ...deAdministration,
  ...deFederation,
  ...deLinks,
  ...deSecondFactor,
  ...deSecurity,

  unlock: {
    title: "Konto entsperren",
    explanation:
      "Ihr Konto wurde nach zu vielen erfolglosen Anmeldungen gesperrt. Ein Klick, und Sie können sich wieder anmelden.",
    submit: "Konto entsperren",
    doneTitle: "Ihr Konto ist entsperrt",
    done: "Sie können sich wieder anmelden.",
    expiredTitle: "Dieser Link gilt nicht mehr",
    expired:
      "Er wurde vielleicht schon benutzt oder ist zu alt. Eine Sperre endet nach einer Weile von selbst.",
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
    resources: "Dieser Zugriff gilt für:",
    unverified:
      "Diese Anwendung hat sich selbst registriert. Ihr Name ist ihre eigene Angabe: Niemand hier hat sie geprüft.",
    unverifiedFrom: (host: Inline) => [
      "Diese Anwendung stammt von ",
      host,
      ". Was sie sonst über sich angibt, hat hier niemand geprüft.",
    ],
    local:
      "Sie läuft auf Ihrem eigenen Gerät. Erlauben Sie den Zugriff nur, wenn Sie diese Anmeldung gerade selbst begonnen haben: Ein anderes Programm könnte sich für sie ausgeben.",
    otherScope: (scope: Inline) => ["Die Berechtigung ", scope, " nutzen"],
  },

  selectAccount: {
    title: "Konto auswählen",
    goOn: (user: Inline) => ["Weiter als ", user],
    other: "Anderes Konto verwenden",
  },

  device: {
    title: "Gerät verbinden",
    explanation: "Geben Sie den Code ein, den Ihr Gerät anzeigt.",
    userCode: "Gerätecode",
    hint: "Acht Buchstaben. Großschreibung und Bindestrich sind egal.",
    next: "Weiter",
    problems: {
      unknown_code:
        "Dieser Code stimmt nicht oder gilt nicht mehr. Lassen Sie sich vom Gerät einen neuen geben.",
      too_many_attempts: "Zu viele falsche Codes. Bitte warten Sie eine Weile und versuchen Sie es erneut.",
    },
    decisionTitle: (client: Inline) => ["Bei ", client, " auf einem anderen Gerät anmelden?"],
    warning:
      "Erlauben Sie das nur, wenn das Gerät vor Ihnen steht und denselben Code zeigt. Hat Ihnen jemand den Code oder den Link geschickt, lehnen Sie ab: Sonst kommt diese Person in Ihr Konto.",
    code: "Gerätecode",
    from: "Angefragt von",
    device: "Gerät",
    sameNetwork: "das Netz, in dem Sie gerade sind",
    unknownPlace: "unbekannt",
    allowedTitle: "Ihr Gerät ist verbunden",
    allowed: "Sie können diese Seite schließen. Das Gerät macht gleich von selbst weiter.",
    deniedTitle: "Zugriff abgelehnt",
    denied: "Das Gerät kommt nicht in Ihr Konto. Sie können diese Seite schließen.",
  },

  account: {
    title: "Ihr Konto",
    name: "Name",
    verified: "bestätigt",
    unverified: "nicht bestätigt",
    sendVerification: "Bestätigungslink senden",
    signOut: "Abmelden",
    notices: {
      verification_sent: "Die Nachricht ist erneut unterwegs.",
      session_ended: "Das andere Gerät ist abgemeldet.",
      sessions_ended: "Alle anderen Geräte sind abgemeldet.",
      grant_revoked: "Die Anwendung hat keinen Zugriff mehr.",
    },
    sessions: {
      title: "Wo Sie angemeldet sind",
      device: (browser, system) => `${browser} auf ${system}`,
      unknownDevice: "Unbekanntes Gerät",
      current: "dieses Gerät",
      lastUsed: (when: Inline) => ["Zuletzt benutzt ", when],
      since: (when: Inline) => ["Angemeldet ", when],
      applications: (names) => `Anwendungen: ${names}`,
      end: "Abmelden",
      endNamed: (device) => `${device} abmelden`,
      endOthers: "Überall sonst abmelden",
    },
    grants: {
      title: "Verbundene Anwendungen",
      none: "Keine Anwendung hat Zugriff auf Ihr Konto.",
      since: (when: Inline) => ["Zugriff seit ", when],
      lastUsed: (when: Inline) => ["Zuletzt benutzt ", when],
      revoke: "Zugriff entziehen",
      revokeNamed: (client) => `Zugriff entziehen: ${client}`,
    },
  },

  logout: {
    title: "Abmelden",
    question: (user: Inline) => ["Sie sind angemeldet als ", user, ". Möchten Sie sich abmelden?"],
    asked: (client: Inline) => ["Sie kommen von ", client, "."],
    confirm: "Abmelden",
    stay: "Angemeldet bleiben",
    doneTitle: "Sie sind abgemeldet",
    done: "Sie können diese Seite schließen.",
    backTo: (client: Inline) => ["Zurück zu ", client],
    signIn: "Wieder anmelden",
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
