/** What an assertion says of a user: their name for the application, and the attributes that the administrator wrote down. */
import { randomBytes } from "node:crypto";
import type { Deps } from "../../deps.ts";
import { AppError } from "../../lib/errors.ts";
import { pairwiseSubject } from "../../protocol/oidc/subject.ts";
import type { NameId } from "../../protocol/saml/build/message.ts";
import type { AttributeInput } from "../../protocol/saml/build/response.ts";
import { nameIdFormats } from "../../protocol/saml/names.ts";
import { evaluateTemplate } from "../templates/liquid.ts";
import type { Tenant } from "../tenants/service.ts";
import type { User } from "../users/service.ts";
import type { SamlClient } from "./model.ts";
import * as repo from "./repo.ts";

/** A user as the templates see one. */
export type UserScope = Readonly<Record<string, unknown>>;

/**
 * An address counts when it was confirmed, and is left out otherwise: applications take what they are told for true, and let
 * in who holds it.
 */
export async function userScope(deps: Deps, user: User): Promise<UserScope> {
  const names = [user.givenName, user.familyName].filter((name) => name !== null && name !== "");
  return {
    user: {
      id: user.id,
      username: user.username,
      email: user.emailVerified ? user.email : null,
      name: names.length > 0 ? names.join(" ") : user.username,
      given_name: user.givenName,
      family_name: user.familyName,
      picture: user.picture,
      locale: user.locale,
      zoneinfo: user.zoneinfo,
      roles: [...user.roles],
      groups: await repo.findGroupNames(deps.db, user),
    },
  };
}

/**
 * What the application knows the user as.
 * @param issuer our entityID
 * @throws AppError 403 for a person without a confirmed address, where that is what they are known by
 */
export function nameIdOf(
  tenant: Tenant,
  client: SamlClient,
  { user, scope, issuer }: { user: User; scope: UserScope; issuer: string },
): NameId {
  const format = nameIdFormats[client.nameIdFormat];
  switch (client.nameIdFormat) {
    case "emailAddress":
      if (user.email === null || !user.emailVerified) throw emailNotVerified(client);
      return { format, value: user.email };
    case "persistent": {
      const sector = `saml:${client.entityId}`;
      const value = pairwiseSubject({ sector, userId: user.id, salt: tenant.pairwiseSalt });
      return { format, value, nameQualifier: issuer, spNameQualifier: client.entityId };
    }
    case "transient": {
      const value = `_${randomBytes(20).toString("hex")}`;
      return { format, value, nameQualifier: issuer, spNameQualifier: client.entityId };
    }
    case "unspecified": {
      const [value] = textsOf(evaluateTemplate(client.nameIdTemplate ?? "{{ user.id }}", scope));
      if (value === undefined)
        throw new AppError(
          403,
          "no_name_id",
          `${client.name} cannot be told who you are. Please ask your administrator.`,
        );
      return { format, value };
    }
  }
}

const emailNotVerified = ({ name }: SamlClient) =>
  new AppError(
    403,
    "email_not_verified",
    `${name} knows people by their email address. Please confirm yours first, and then sign in again.`,
  );

const NAME_FORMATS = {
  basic: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
  uri: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
  unspecified: "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified",
} as const;

/** Lexical forms of XML Schema Part 2 §3.2.2, §3.3.13 and §3.2.7. */
const FITS = {
  string: /^/,
  boolean: /^(?:true|false|1|0)$/,
  integer: /^[+-]?\d{1,100}$/,
  dateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/,
} as const;

const MOST_VALUES = 1000;

export function attributesOf(client: SamlClient, scope: UserScope): AttributeInput[] {
  return client.attributes.map(({ name, friendly_name, name_format, type, value }) => ({
    name,
    friendlyName: friendly_name,
    nameFormat: NAME_FORMATS[name_format],
    type,
    values: textsOf(evaluateTemplate(value, scope))
      .filter((text) => FITS[type].test(text))
      .slice(0, MOST_VALUES),
  }));
}

/** Nothing that is empty: an application could take it for a value. */
function textsOf(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    const scalar = ["string", "number", "boolean"].includes(typeof item) ? String(item).trim() : "";
    return scalar === "" ? [] : [scalar];
  });
}
