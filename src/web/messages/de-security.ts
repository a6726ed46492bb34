import type { Inline } from "./en.ts";
import type { enSecurity } from "./en-security.ts";

export const deSecurity: typeof enSecurity = {
  security: {
    title: "Sicherheit",
    link: "Sicherheit und Anmeldung",
    back: "Zurück zu Ihrem Konto",
    backToSecurity: "Zurück zur Sicherheit",
    added: (when: Inline) => ["Hinzugefügt ", when],
    lastUsed: (when: Inline) => ["Zuletzt benutzt ", when],
    neverUsed: "Noch nicht benutzt",
    manage: "Verwalten",
    manageNamed: (name) => `${name} verwalten`,
    rename: "Umbenennen",
    name: "Bezeichnung",
    remove: "Entfernen",
    cancel: "Abbrechen",
    notices: {
      factor_added: "Ihr neuer zweiter Faktor ist eingerichtet.",
      factor_removed: "Er ist entfernt.",
      renamed: "Der neue Name ist gespeichert.",
      devices_forgotten: "Dem Gerät wird nicht mehr vertraut.",
      password_changed: "Ihr Passwort ist geändert. Alle anderen Geräte sind abgemeldet.",
      email_change_requested:
        "Wir haben eine Nachricht an Ihre alte und an Ihre neue Adresse gesendet. Öffnen Sie den Link in beiden, um sie zu ändern.",
      email_change_cancelled: "Ihre E-Mail-Adresse bleibt, wie sie ist.",
      api_key_revoked: "Der API-Schlüssel wurde widerrufen.",
      account_connected: "Es ist verbunden: Sie können sich ab jetzt damit anmelden.",
      account_disconnected: "Die Verbindung ist getrennt.",
      export_requested:
        "Ihre Daten werden zusammengestellt. Wir senden eine Nachricht, wenn sie bereit sind.",
    },
    problems: {
      last_factor:
        "Hier ist ein zweiter Faktor nötig. Richten Sie einen anderen ein, bevor Sie diesen entfernen.",
      last_sign_in_method:
        "Ohne dieses Konto könnten Sie sich nicht mehr anmelden. Legen Sie zuerst ein Passwort oder einen Passkey an.",
      not_possible: "Das ist jetzt nicht möglich. Bitte versuchen Sie es erneut.",
    },

    password: {
      title: "Passwort",
      change: "Passwort ändern",
      none: "Sie haben kein Passwort: Sie melden sich ohne eines an.",
      current: "Bisheriges Passwort",
      wrongCurrent: "Das ist nicht Ihr Passwort.",
      submit: "Passwort ändern",
    },
    email: {
      title: "E-Mail-Adresse",
      change: "E-Mail-Adresse ändern",
      pending: (address: Inline) => [
        "Sie wird zu ",
        address,
        ", wenn beide Adressen über die gesendeten Links zugestimmt haben.",
      ],
      cancelChange: "Alte Adresse behalten",
      newAddress: "Neue E-Mail-Adresse",
      explanation: "Ihre alte und Ihre neue Adresse müssen zustimmen, jede über einen Link, den wir senden.",
      submit: "Links senden",
    },
    totp: {
      title: "Authenticator-Apps",
      none: "Es ist keine Authenticator-App eingerichtet.",
      add: "Authenticator-App hinzufügen",
      removeTitle: "Authenticator-App",
      removeHint: "Nach dem Entfernen gelten ihre Codes nicht mehr, und keinem Gerät wird mehr vertraut.",
    },
    passkeys: {
      title: "Passkeys und Sicherheitsschlüssel",
      none: "Sie haben keinen Passkey.",
      add: "Passkey hinzufügen",
      synced: "Auf Ihren Geräten synchronisiert",
      deviceBound: "Nur auf einem Gerät",
      removeTitle: "Passkey verwalten",
      removeHint:
        "Nach dem Entfernen können Sie sich nicht mehr damit anmelden. Löschen Sie ihn auch auf Ihrem Gerät.",
    },
    backupCodes: {
      title: "Ersatzcodes",
      left: (count) => (count === 1 ? "1 Code ist übrig." : `${count} Codes sind übrig.`),
      none: "Sie haben keine Ersatzcodes. Sie stehen für einen zweiten Faktor ein: Richten Sie zuerst einen ein.",
      regenerate: "Neue Ersatzcodes",
      explanation: "Die bisherigen Codes gelten nicht mehr, wenn Sie neue machen.",
    },
    externalAccounts: {
      title: "Konten anderswo",
      none: "Kein Konto anderswo ist mit Ihrem verbunden.",
      connect: (name) => `${name} verbinden`,
      disconnect: "Trennen",
      disconnectNamed: (name) => `${name} trennen`,
    },
    devices: {
      title: "Vertraute Geräte",
      none: "Keinem Gerät wird vertraut.",
      explanation: "Auf diesen Geräten werden Sie nicht nach einem zweiten Faktor gefragt.",
      until: (when: Inline) => ["Vertraut bis ", when],
      current: "dieses Gerät",
      forget: "Entfernen",
      forgetNamed: (device) => `${device} entfernen`,
      forgetAll: "Keinem davon mehr vertrauen",
    },
    data: {
      title: "Ihre Daten",
      explanation: "Sie können eine Kopie von allem bekommen, was über Sie gespeichert ist.",
      request: "Kopie anfordern",
      pending: "Ihre Kopie wird gerade gemacht.",
      download: "Kopie herunterladen",
      until: (when: Inline) => ["Aufbewahrt bis ", when],
    },
    deletion: {
      title: "Konto löschen",
      open: "Konto löschen",
      explanation: (days) =>
        days === 0
          ? "Sie werden sofort überall abgemeldet, und Ihr Konto wird gelöscht. Das lässt sich nicht rückgängig machen."
          : `Sie werden sofort überall abgemeldet. Nach ${days === 1 ? "einem Tag" : `${days} Tagen`} wird Ihr Konto gelöscht; bis dahin können Sie es aufhalten, indem Sie sich wieder anmelden.`,
      submit: "Mein Konto löschen",
      doneTitle: "Ihr Konto wird gelöscht",
      done: (when: Inline) => [
        "Sie sind abgemeldet. Ihr Konto wird am ",
        when,
        " gelöscht, wenn Sie sich vorher nicht anmelden.",
      ],
    },
  },
};
