import type { enLinks } from "./en-links.ts";

export const deLinks: typeof enLinks = {
  links: {
    approveEmail: {
      title: "Andere E-Mail-Adresse genehmigen",
      explanation:
        "Ihr Konto soll eine andere E-Mail-Adresse bekommen. Sie wird geändert, wenn Sie zustimmen und die neue Adresse bestätigt ist.",
      submit: "Genehmigen",
    },
    confirmEmail: {
      title: "Neue E-Mail-Adresse bestätigen",
      explanation: "Ein Klick, und diese Adresse ist bestätigt. Auch die alte Adresse muss zustimmen.",
      submit: "Adresse bestätigen",
    },
    keepAccount: {
      title: "Konto behalten",
      explanation: "Ihr Konto soll gelöscht werden. Ein Klick, und es bleibt.",
      submit: "Konto behalten",
    },
    newAddress: "Neue Adresse",
    outcomes: {
      emailChanged: {
        title: "Ihre E-Mail-Adresse ist geändert",
        explanation: "Benutzen Sie von jetzt an die neue.",
      },
      otherConsentMissing: {
        title: "Danke",
        explanation: "Auch die andere Adresse muss zustimmen: Öffnen Sie den Link in der Nachricht dorthin.",
      },
      accountKept: {
        title: "Ihr Konto bleibt",
        explanation: "Nichts wurde gelöscht. Sie können sich wieder anmelden.",
      },
    },
    expiredTitle: "Dieser Link gilt nicht mehr",
    expired: "Vielleicht wurde er schon benutzt, oder er ist zu alt.",
  },

  passwordless: {
    email_code: {
      title: "Mit einem Code anmelden",
      explanation: "Wir senden einen sechsstelligen Code an Ihre E-Mail-Adresse.",
      submit: "Code senden",
    },
    sms_code: {
      title: "Mit einer SMS anmelden",
      explanation: "Wir senden einen sechsstelligen Code an Ihr Telefon.",
      submit: "Code senden",
    },
    magic_link: {
      title: "Mit einem Link anmelden",
      explanation: "Wir senden einen Link an Ihre E-Mail-Adresse, der Sie hier in diesem Browser anmeldet.",
      submit: "Link senden",
    },
    otherWay: "Auf andere Weise anmelden",
    phone: "Telefonnummer",
    phoneHint: "Mit Landesvorwahl, zum Beispiel +49 30 123456.",
    enterCode: "Code eingeben",
    code: "Ihr Code",
    codeSent: (identifier) => [
      "Falls es ein Konto für ",
      identifier,
      " gibt, haben wir einen sechsstelligen Code gesendet. Er gilt zehn Minuten.",
    ],
    linkSent:
      "Falls es ein Konto für Ihre Adresse gibt, haben wir einen Link dorthin gesendet. Er gilt zehn Minuten. Lassen Sie diese Seite offen: Es geht von selbst weiter.",
    checkNumber: (number) => [
      "Wenn Sie den Link auf einem anderen Gerät öffnen, zeigt er eine Zahl. Es muss die ",
      number,
      " sein.",
    ],
    confirmed: "Ich habe den Link geöffnet",
    again: "Noch einmal senden",
    problems: {
      wrong_code: "Dieser Code stimmt nicht oder gilt nicht mehr.",
      too_many_attempts: "Zu viele Versuche. Bitte warten Sie eine Weile und versuchen Sie es dann erneut.",
    },
    sameBrowser: "Ein Klick, und Sie sind angemeldet.",
    confirmTitle: "Anmeldung bestätigen",
    otherBrowser:
      "Dies ist nicht der Browser, in dem die Anmeldung begonnen wurde. Bestätigen Sie auf diesem Gerät, und die Anmeldung geht dort weiter:",
    numberLabel: "Dort gezeigte Zahl",
    device: "Gerät",
    address: "IP-Adresse",
    onlyIfYou:
      "Bestätigen Sie nur, wenn Sie diese Anmeldung selbst begonnen haben und dort dieselbe Zahl sehen. Sonst würde jemand anderes in Ihrem Konto angemeldet.",
    confirmSubmit: "Bestätigen",
    confirmedTitle: "Bestätigt",
    goBack:
      "Die Anmeldung geht in dem Browser weiter, in dem Sie begonnen haben. Sie können diese Seite schließen.",
  },

  passwordProblems: {
    guessable:
      "Dieses Passwort ist zu leicht zu erraten. Versuchen Sie ein längeres oder mehrere Wörter ohne Zusammenhang.",
    breached:
      "Dieses Passwort ist anderswo durch ein Datenleck bekannt geworden. Bitte wählen Sie ein anderes.",
    reused: "Dieses Passwort haben Sie schon einmal benutzt. Bitte wählen Sie ein anderes.",
  },
};
