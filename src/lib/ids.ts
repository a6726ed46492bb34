/**
 * Identifiers. Inside the database an id is a UUIDv7; everywhere else it is `<prefix>_` and the same 128 bits
 * in Crockford base32 (26 characters), so that an id says what it names and sorts by the time of its making.
 */
import { decodeUuid, encodeUuid } from "./uuid-base32.ts";

/** What each prefix names. One table, so that no two features can claim the same prefix. */
export const idPrefixes = {
  tenant: "tenant",
  user: "user",
  email: "email",
  role: "role",
  organization: "org",
  group: "group",
  scimToken: "scim",
  webhook: "whk",
  webhookEvent: "whev",
  webhookDelivery: "whdl",
  session: "sess",
  client: "client",
  clientSecret: "csec",
  grant: "grant",
  tokenFamily: "fam",
  refreshToken: "rt",
  authorizationCode: "code",
  challenge: "chal",
  totpDevice: "totp",
  passkey: "passkey",
  trustedDevice: "tdev",
  pushedRequest: "par",
  deviceAuthorization: "dev",
  accessToken: "at",
  initialAccessToken: "iat",
  registrationAccessToken: "rat",
  trustedIssuer: "iss",
  formerPassword: "pwd",
  connection: "conn",
  externalAccount: "ext",
  samlClient: "saml",
  samlSession: "sidx",
  upstreamSession: "ups",
  phone: "phone",
  proof: "proof",
  emailChange: "emch",
  dataExport: "export",
  accountDeletion: "del",
  signingKey: "key",
  apiKey: "apikey",
  serviceAccount: "sa",
  impersonation: "imp",
  auditEvent: "evt",
  report: "report",
  task: "task",
  taskRun: "run",
  userImport: "uimp",
  userExport: "uexp",
  outbox: "out",
  message: "msg",
  request: "req",
} as const;

export type IdKind = keyof typeof idPrefixes;
export type Id<K extends IdKind> = `${(typeof idPrefixes)[K]}_${string}`;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ENCODED = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export function newId<K extends IdKind>(kind: K): Id<K> {
  return idFromUuid(kind, Bun.randomUUIDv7());
}

/** @param uuid in the lower-case, hyphenated form that PostgreSQL prints. */
export function idFromUuid<K extends IdKind>(kind: K, uuid: string): Id<K> {
  return `${idPrefixes[kind]}_${encodeUuid(uuid)}` as Id<K>;
}

/** @throws RangeError when `id` is not of this kind: callers hold ids that `isId` let through. */
export function uuidFromId<K extends IdKind>(kind: K, id: string): string {
  const prefix = `${idPrefixes[kind]}_`;
  const encoded = id.slice(prefix.length);
  if (!id.startsWith(prefix) || !ENCODED.test(encoded)) throw new RangeError(`not an id of kind ${kind}`);
  return decodeUuid(encoded);
}

/** Whether `value`, which a stranger may have sent, is a well-formed id of this kind. */
export function isId<K extends IdKind>(kind: K, value: unknown): value is Id<K> {
  const prefix = `${idPrefixes[kind]}_`;
  return typeof value === "string" && value.startsWith(prefix) && ENCODED.test(value.slice(prefix.length));
}

export function isUuid(value: string): boolean {
  return UUID.test(value);
}
