/** Domains of email addresses, as they are compared: lower case, in ASCII (RFC 5890 §2.3.2.1). */
import { domainToASCII } from "node:url";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})+$`);

/** @returns the domain's ASCII form; undefined for what is none, or an address's number */
export function asciiDomain(text: string): string | undefined {
  const domain = domainToASCII(text.trim().replace(/\.$/, "")).toLowerCase();
  return DOMAIN.test(domain) && !/^[\d.]+$/.test(domain) ? domain : undefined;
}

/** The domain of an email address; undefined when it has none. */
export function emailDomain(email: string): string | undefined {
  const at = email.lastIndexOf("@");
  return at > 0 ? asciiDomain(email.slice(at + 1)) : undefined;
}

/**
 * Where anybody gets an address: a connection that claimed one of these as its own would vouch for strangers. The
 * providers with the most users; a domain that is missing here is still nobody's but the connection's that names it.
 */
const PUBLIC_MAIL_DOMAINS = new Set(
  `126.com 163.com aol.com btinternet.com comcast.net duck.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de
  gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hushmail.com
  icloud.com laposte.net libero.it live.co.uk live.com live.fr live.nl mac.com mail.com mail.ru mailbox.org me.com msn.com
  naver.com orange.fr outlook.com outlook.de outlook.es outlook.fr pm.me posteo.de privaterelay.appleid.com proton.me
  protonmail.ch protonmail.com qq.com rediffmail.com rocketmail.com sbcglobal.net t-online.de tuta.com tutanota.com
  verizon.net wanadoo.fr web.de yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it
  yandex.com yandex.ru ymail.com zoho.com`.split(/\s+/),
);

/** Whether anybody can get an address of this domain. @param domain in ASCII */
export const isPublicMailDomain = (domain: string): boolean => PUBLIC_MAIL_DOMAINS.has(domain);
