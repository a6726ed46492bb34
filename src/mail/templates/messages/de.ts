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
  unlockAccount: {
    subject: (tenant) => `Ihr Konto bei ${tenant} ist vorübergehend gesperrt`,
    body: (tenant) =>
      `jemand, vielleicht Sie, wollte sich an Ihrem Konto bei ${tenant} anmelden und lag zu oft falsch. Für eine Weile ist keine Anmeldung möglich, auch nicht mit dem richtigen Passwort.`,
    waiting: "Sie können warten oder das Konto jetzt entsperren:",
    action: "Konto entsperren",
    unexpected:
      "Wenn Sie das nicht waren: Diese Versuche haben niemanden hineingelassen. Ist Ihr Passwort kurz oder benutzen Sie es auch anderswo, wählen Sie ein neues.",
  },
  alreadyRegistered: {
    subject: (tenant) => `Sie haben schon ein Konto bei ${tenant}`,
    body: (tenant) =>
      `jemand, hoffentlich Sie, wollte mit dieser Adresse ein Konto bei ${tenant} anlegen. Es gibt schon eines.`,
    action: "Anmelden",
    forgotten: "Wenn Sie Ihr Passwort vergessen haben, wählen Sie auf der Anmeldeseite ein neues.",
    unexpected: "Wenn Sie das nicht waren, können Sie diese Nachricht ignorieren: Nichts wurde geändert.",
  },
  newAddress: "Neue Adresse",
  passwordChanged: {
    subject: (tenant) => `Ihr Passwort bei ${tenant} wurde geändert`,
    body: (tenant) => `das Passwort Ihres Kontos bei ${tenant} wurde gerade geändert.`,
    action: "Konto ansehen",
    unexpected:
      "Wenn Sie das nicht waren, setzen Sie das Passwort jetzt auf der Anmeldeseite zurück: Damit werden alle Geräte abgemeldet.",
  },
  impersonated: {
    subject: (tenant) => `Die Administration von ${tenant} hat sich als Sie angemeldet`,
    body: (tenant) =>
      `jemand aus der Administration von ${tenant} hat sich in Ihrem Auftrag in Ihrem Konto angemeldet.`,
    duration: "Dauer",
    atMost: (minutes) => (minutes === 1 ? "höchstens 1 Minute" : `höchstens ${minutes} Minuten`),
    reason: "Grund",
    action: "Ansehen, wo Sie angemeldet sind",
    limits:
      "Ihr Konto konnte dabei angesehen und Ihre Anwendungen konnten benutzt werden. Passwort, Adresse und Anmeldewege konnten nicht geändert werden.",
    unexpected: "Wenn Sie Fragen dazu haben, wenden Sie sich an den Betreiber des Dienstes.",
  },
  emailChangeRequested: {
    subject: (tenant) => `Andere E-Mail-Adresse für ${tenant} genehmigen`,
    body: (tenant) =>
      `jemand, hoffentlich Sie, möchte Ihrem Konto bei ${tenant} eine andere E-Mail-Adresse geben. Sie wird geändert, wenn Sie hier zustimmen und die neue Adresse bestätigt wird.`,
    action: "Neue Adresse genehmigen",
    unexpected:
      "Wenn Sie das nicht waren, stimmen Sie nicht zu und ändern Sie Ihr Passwort: Jemand anderes ist in Ihrem Konto angemeldet.",
  },
  confirmNewEmail: {
    subject: (tenant) => `Bestätigen Sie Ihre neue E-Mail-Adresse für ${tenant}`,
    body: (tenant) =>
      `bitte bestätigen Sie, dass Ihr Konto bei ${tenant} diese Adresse haben soll. Auch Ihre alte Adresse muss zustimmen.`,
    action: "Adresse bestätigen",
    unexpected:
      "Wenn Sie dort kein Konto haben, können Sie diese Nachricht ignorieren: Ohne den Link geschieht nichts.",
  },
  emailChanged: {
    subject: (tenant) => `Ihre E-Mail-Adresse bei ${tenant} wurde geändert`,
    body: (tenant) => `Ihr Konto bei ${tenant} hat von jetzt an eine andere E-Mail-Adresse.`,
    action: "Konto ansehen",
    unexpected: "Wenn Sie das nicht waren, melden Sie sich sofort bei uns.",
  },
  accountDeletionRequested: {
    subject: (tenant) => `Ihr Konto bei ${tenant} wird gelöscht`,
    body: (tenant) =>
      `wie gewünscht wird Ihr Konto bei ${tenant} mit allem gelöscht, was dazu gehört. Sie sind überall abgemeldet.`,
    due: "Gelöscht wird am",
    action: "Konto behalten",
    unexpected:
      "Wenn Sie es sich anders überlegen oder das nicht waren: Der Link oder eine Anmeldung erhält das Konto.",
  },
  accountDeleted: {
    subject: (tenant) => `Ihr Konto bei ${tenant} ist gelöscht`,
    body: (tenant) => `Ihr Konto bei ${tenant} ist gelöscht und mit ihm Ihre persönlichen Daten.`,
    farewell: "Dies ist die letzte Nachricht an diese Adresse.",
  },
  dataExportReady: {
    subject: (tenant) => `Die Kopie Ihrer Daten bei ${tenant} liegt bereit`,
    body: (tenant) =>
      `die Kopie Ihrer Daten, um die Sie bei ${tenant} gebeten haben, liegt bereit. Sie wird sieben Tage aufgehoben und öffnet sich nur für Sie, angemeldet.`,
    action: "Konto öffnen",
    unexpected:
      "Wenn Sie nicht darum gebeten haben, ändern Sie Ihr Passwort: Jemand anderes ist in Ihrem Konto angemeldet.",
  },
  webhookDisabled: {
    subject: (tenant) => `Ein Webhook von ${tenant} wurde abgeschaltet`,
    body: (tenant) =>
      `ein Empfänger von Webhooks von ${tenant} war tagelang nicht zu erreichen oder sagte, dass es ihn nicht mehr gibt. Er wurde abgeschaltet und erfährt nichts mehr.`,
    receiver: "Empfänger",
    action: "Server öffnen",
    next: "Sobald er wieder arbeitet, schalten Sie ihn ein: Was nicht zugestellt werden konnte, lässt sich aus seinen Zustellungen noch einmal senden.",
  },
  dormantAccounts: {
    subject: (tenant) => `Ungenutzte Konten von ${tenant}`,
    body: (tenant, days) =>
      `diese Konten von ${tenant} sind eingeschaltet, und in den letzten ${days} Tagen hat sich niemand damit angemeldet. Ein Konto, auf das niemand achtet, ist am leichtesten zu übernehmen.`,
    dormant: "Früher angemeldet, seitdem nicht",
    neverSignedIn: "Nie angemeldet",
    administrators: "Davon verwalten",
    action: "Server öffnen",
    next: "Schalten Sie ab, was nicht mehr gebraucht wird: Ein abgeschaltetes Konto behält seine Daten und lässt sich wieder einschalten.",
  },
  factor: {
    kind: "Art",
    name: "Name",
    totp: "Authenticator-App",
    webauthn: "Passkey",
    sms_code: "Telefonnummer",
  },
  factorAdded: {
    subject: (tenant) => `Ihr Konto bei ${tenant} hat einen weiteren zweiten Faktor`,
    body: (tenant) => `von jetzt an können Sie sich bei ${tenant} auch hiermit ausweisen:`,
    action: "Konto ansehen",
    unexpected:
      "Wenn Sie das nicht waren, entfernen Sie ihn und ändern Sie jetzt Ihr Passwort: Jemand anderes ist in Ihrem Konto angemeldet.",
  },
  factorRemoved: {
    subject: (tenant) => `Ein zweiter Faktor Ihres Kontos bei ${tenant} wurde entfernt`,
    body: (tenant) => `hiermit können Sie sich bei ${tenant} nicht mehr ausweisen:`,
    action: "Konto ansehen",
    unexpected:
      "Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort: Jemand anderes ist in Ihrem Konto angemeldet.",
  },
  magicLink: {
    subject: (tenant) => `Anmelden bei ${tenant}`,
    body: (tenant) =>
      `dieser Link meldet Sie bei ${tenant} an, in dem Browser, in dem Sie darum gebeten haben.`,
    action: "Anmelden",
    unexpected:
      "Wenn Sie nicht darum gebeten haben, ignorieren Sie diese Nachricht und bestätigen Sie nichts.",
  },
  emailCode: {
    subject: (tenant, code) => `${code} ist Ihr Code für ${tenant}`,
    body: (tenant) => `jemand, hoffentlich Sie, meldet sich bei ${tenant} mit diesem Code an:`,
    code: "Code",
    validFor: (duration) => `Der Code gilt einmal und für ${duration}.`,
    unexpected:
      "Sagen Sie ihn niemandem. Wenn Sie nicht darum gebeten haben, können Sie diese Nachricht ignorieren.",
  },
};
