/**
 * The libraries that read and write XML, loaded with the first message: together they take five megabytes and a quarter of a
 * second, which a server that speaks no SAML has better uses for. A `require`, since what uses them has nothing to wait for.
 */
import type * as Xmldom from "@xmldom/xmldom";
import type * as XmlCrypto from "xml-crypto";
import type * as XmlEncryption from "xml-encryption";

export const xmldom = (): typeof Xmldom => import.meta.require("@xmldom/xmldom");
export const xmlCrypto = (): typeof XmlCrypto => import.meta.require("xml-crypto");
export const xmlEncryption = (): typeof XmlEncryption => import.meta.require("xml-encryption");
