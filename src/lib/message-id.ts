import { randomBytes } from "node:crypto";

/** An identifier for an XML document (xs:ID): 160 random bits (SAML Core §1.3.4), after what makes it a name. */
export const newMessageId = () => `_${randomBytes(20).toString("hex")}`;
