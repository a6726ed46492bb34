import { bindings } from "../names.ts";
import { message, type MessageHead } from "./message.ts";
import { element, type Xml } from "./xml.ts";

/** What we ask an identity provider for (SAML Core §3.4.1). */
export interface AuthnRequestInput {
  readonly acsUrl: string;
  /** A URI of SAML Core §8.3. */
  readonly nameIdFormat: string;
  /** Whether the person is to prove anew who they are. */
  readonly forceAuthn: boolean;
  /** Whether nothing may be shown to them. */
  readonly isPassive: boolean;
}

export function authnRequest(head: MessageHead, input: AuthnRequestInput): Xml {
  return message(
    "samlp:AuthnRequest",
    head,
    {
      AssertionConsumerServiceURL: input.acsUrl,
      ProtocolBinding: bindings.post,
      ForceAuthn: input.forceAuthn || undefined,
      IsPassive: input.isPassive || undefined,
    },
    element("samlp:NameIDPolicy", { Format: input.nameIdFormat, AllowCreate: true }),
  );
}
