import type { Inline } from "./en.ts";
import type { enSecondFactor } from "./en-second-factor.ts";

export const deSecondFactor: typeof enSecondFactor = {
  passkeys: {
    signIn: "Mit einem Passkey anmelden",
    signUp: "Konto mit einem Passkey anlegen",
    noScript: "Passkeys brauchen JavaScript und einen Browser, der sie kennt.",
    failed: "Es wurde kein Passkey benutzt. Bitte versuchen Sie es erneut oder wählen Sie einen anderen Weg.",
    notCreated: "Es wurde kein Passkey angelegt. Bitte versuchen Sie es erneut.",
    known: "Auf diesem Gerät oder Schlüssel gibt es schon einen Passkey für Ihr Konto.",
    refused: "Dieser Passkey wurde nicht angenommen. Bitte melden Sie sich auf einem anderen Weg an.",
    unverified:
      "Dieser Passkey hat nicht geprüft, wer Sie sind. Bitte melden Sie sich auf einem anderen Weg an.",
  },

  secondFactor: {
    title: "Bestätigen Sie, dass Sie es sind",
    stepUp: "Bitte bestätigen Sie es noch einmal, bevor es weitergeht.",
    stepUpFor: (client: Inline) => [client, " bittet Sie zu bestätigen, dass Sie es sind."],
    otherWays: "Andere Wege",
    code: "Bestätigungscode",
    trust: (days) =>
      days === 1
        ? "Auf diesem Gerät einen Tag lang nicht mehr fragen"
        : `Auf diesem Gerät ${days} Tage lang nicht mehr fragen`,
    submit: "Bestätigen",
    cancel: "Abbrechen und neu anmelden",
    back: "Zurück zu Ihrem Konto",
    methods: {
      webauthn: {
        name: "Passkey oder Sicherheitsschlüssel",
        explanation: "Benutzen Sie einen Passkey dieses Kontos: Ihr Gerät fragt danach.",
        submit: "Passkey benutzen",
      },
      totp: {
        name: "Authenticator-App",
        explanation: "Geben Sie den sechsstelligen Code ein, den Ihre Authenticator-App gerade zeigt.",
      },
      email_code: {
        name: "Code per E-Mail",
        explanation: "Wir senden einen sechsstelligen Code an Ihre E-Mail-Adresse. Er gilt zehn Minuten.",
      },
      sms_code: {
        name: "Code per SMS",
        explanation: "Wir senden einen sechsstelligen Code an Ihr Telefon. Er gilt zehn Minuten.",
      },
      backup_code: {
        name: "Ersatzcode",
        explanation: "Geben Sie einen der Ersatzcodes ein, die Sie aufbewahrt haben. Jeder gilt einmal.",
      },
      password: { name: "Kennwort", explanation: "Geben Sie Ihr Passwort ein." },
    },
    send: "Code senden",
    resend: "Weiteren Code senden",
    notices: {
      sent: "Ein Code ist unterwegs.",
      wait: "Gerade eben wurde ein Code gesendet. Bitte warten Sie einen Moment, bevor Sie einen weiteren anfordern.",
    },
    problems: {
      wrong_answer: "Das stimmt nicht. Bitte versuchen Sie es erneut.",
      too_many_attempts: "Zu viele Versuche. Bitte warten Sie eine Weile und versuchen Sie es erneut.",
      no_code: "Es konnte kein Code gesendet werden. Bitte wählen Sie einen anderen Weg.",
      no_passkey:
        "Es wurde kein Passkey benutzt. Bitte versuchen Sie es erneut oder wählen Sie einen anderen Weg.",
      not_enough: "Das hat nicht genügt. Bitte wählen Sie einen anderen Weg.",
    },
    expired:
      "Diese Anmeldung ist vorbei: Sie hat zu lange gedauert, oder zu viele Antworten waren falsch. Bitte beginnen Sie von vorn. Zu viele falsche Antworten sperren ein Konto für eine Weile; eine E-Mail sagt dann, wie man es entsperrt.",
    noneLeft: "Hier gibt es nichts, womit Sie es bestätigen könnten. Bitte melden Sie sich neu an.",
    signInAgain: "Neu anmelden",
    noneYet: "Sie haben noch keinen zweiten Faktor, und hier ist einer nötig. Richten Sie jetzt einen ein.",
  },

  enroll: {
    title: "Schützen Sie Ihr Konto",
    explanation:
      "Hier brauchen alle neben dem Passwort einen zweiten Faktor. Wählen Sie, welchen Sie einrichten.",
    totp: "Authenticator-App verwenden",
    totpHint: "Eine App auf Ihrem Telefon zeigt alle 30 Sekunden einen neuen Code.",
    passkey: "Passkey oder Sicherheitsschlüssel verwenden",
    passkeyHint: "Ihr Fingerabdruck, Ihr Gesicht, die PIN Ihres Geräts oder ein Schlüssel zum Einstecken.",
    totpTitle: "Authenticator-App einrichten",
    scan: "Scannen Sie dieses Bild mit der App:",
    qrCode: "QR-Code mit dem Schlüssel, der darunter steht",
    openApp: "In einer App auf diesem Gerät öffnen",
    manual: "Oder tippen Sie diesen Schlüssel in die App:",
    confirm: "Geben Sie dann den Code ein, den die App zeigt:",
    submit: "Bestätigen",
    wrongCode:
      "Dieser Code stimmt nicht. Bitte warten Sie auf den nächsten oder scannen Sie das Bild noch einmal.",
    passkeyTitle: "Passkey anlegen",
    passkeyExplanation: "Ihr Gerät fragt, wo er liegen soll.",
    create: "Passkey anlegen",
    other: "Anderen Weg wählen",
    cancel: "Abbrechen",
    deviceName: "Name dieses Geräts oder Schlüssels",
    deviceNameHint: "Damit Sie es später wiedererkennen.",
    badName: "Bitte 1 bis 128 Zeichen.",
    nameTaken: "Es gibt schon eines mit diesem Namen. Bitte wählen Sie einen anderen.",
    tooMany: "Davon gibt es zu viele. Bitte entfernen Sie zuerst eines.",
    next: "Weiter",
    backupCodes: {
      title: "Bewahren Sie Ihre Ersatzcodes auf",
      explanation:
        "Jeder dieser Codes gilt einmal, anstelle Ihres zweiten Faktors, wenn Sie ihn verloren haben. Bewahren Sie sie auf, wo niemand sonst sie findet.",
      once: "Sie werden nur dieses eine Mal gezeigt.",
      list: "Ersatzcodes",
      download: "Als Text herunterladen",
      print: "Drucken",
      done: "Ich habe sie aufbewahrt: weiter",
      fileHeading: (tenant) => `Ersatzcodes für ${tenant}. Jeder gilt einmal.`,
    },
  },

  passkeySignUp: {
    title: "Konto mit einem Passkey anlegen",
    explanation:
      "Kein Passwort zum Merken: Sie melden sich mit Fingerabdruck, Gesicht oder der PIN Ihres Geräts an.",
    submit: "Weiter mit einem Passkey",
    withPassword: "Stattdessen ein Passwort wählen",
  },
};
