/** Single logout messages (SAML Core §3.7). Signed by what carries them: as a document for POST, as a query for redirects. */
import { message, type MessageHead, type NameId, nameId, type Status, status } from "./message.ts";
import { dateTime, element, type Xml } from "./xml.ts";

export function logoutRequest(
  head: MessageHead,
  about: { readonly nameId: NameId; readonly sessionIndex: string | undefined; readonly notOnOrAfter: Date },
): Xml {
  return message(
    "samlp:LogoutRequest",
    head,
    { NotOnOrAfter: dateTime(about.notOnOrAfter), Reason: "urn:oasis:names:tc:SAML:2.0:logout:user" },
    nameId(about.nameId),
    about.sessionIndex === undefined ? undefined : element("samlp:SessionIndex", {}, about.sessionIndex),
  );
}

export function logoutResponse(head: MessageHead, outcome: Status): Xml {
  return message("samlp:LogoutResponse", head, {}, status(outcome));
}
