import type { enAdministration } from "./en-administration.ts";
import type { Inline } from "./en.ts";

export const deAdministration: typeof enAdministration = {
  apiKeys: {
    title: "API-Schlüssel",
    explanation:
      "Ein Programm, das einen Schlüssel von Ihnen hat, handelt als Sie. Wer einen Schlüssel sieht, kann ihn benutzen.",
    none: "Sie haben keine API-Schlüssel.",
    add: "API-Schlüssel erstellen",
    created: (when: Inline) => ["Erstellt ", when],
    until: (when: Inline) => ["Endet ", when],
    revoke: "Widerrufen",
    revokeNamed: (name) => `Den API-Schlüssel ${name} widerrufen`,
    form: {
      title: "API-Schlüssel erstellen",
      name: "Bezeichnung",
      nameHint: "Was ihn benutzen wird, zum Beispiel „Sicherungsskript“.",
      days: "Tage, bis er endet",
      scopes: "Was er darf",
      submit: "Schlüssel erstellen",
    },
    shown: {
      title: "Ihr neuer API-Schlüssel",
      explanation:
        "Kopieren Sie ihn jetzt: Er wird nur dieses eine Mal gezeigt und ist später nicht abrufbar.",
      label: "API-Schlüssel",
      done: "Ich habe ihn kopiert",
    },
  },
  impersonation: {
    banner: (user: Inline, by: Inline) => ["Sie sind als ", user, " angemeldet, im Auftrag von ", by, "."],
    end: "Beenden",
    title: "Als jemand anderes anmelden",
    explanation: (user: Inline, by: Inline) => [
      "Sie werden gleich als ",
      user,
      " angemeldet. Was Sie tun, wird als Handlung von ",
      by,
      " aufgezeichnet.",
    ],
    submit: "Als diese Person anmelden",
    expired:
      "Dieser Link wurde schon benutzt, ist zu alt oder gehört zu einem anderen Browser. Bitte fordern Sie einen neuen an.",
    ended: "Diese Anmeldung ist beendet.",
    session: "eine Administratorin oder ein Administrator, als Sie",
  },
};
