/** Members that the configurations of several kinds have. Problems are told by the message, never by the value. */
import { type TSchema, Type } from "@sinclair/typebox";

/** An address that a browser or this server opens. Whether this server goes there is the outbound client's to say. */
export const Address = (description: string) =>
  Type.String({ maxLength: 2048, description, [ADDRESS]: true, "x-message": "Must be an https URL." });

/** Marks the members that are addresses; what is wrong with one is `webAddressProblem`'s to say. */
export const ADDRESS = "x-address";

/** A line of text as standards' identifiers are: visible ASCII and no spaces. */
export const Identifier = (description: string, maxLength = 512) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: "^[\\x21-\\x7e]+$",
    description,
    "x-message": `Must be 1 to ${maxLength} visible ASCII characters.`,
  });

/** RFC 6749 §3.3 */
export const Scopes = Type.Array(
  Type.String({ pattern: "^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,256}$", "x-message": "Must be a scope token." }),
  { maxItems: 50, description: "What is asked for (RFC 6749 §3.3)" },
);

export const OneOf = <const Values extends readonly string[]>(values: Values, description: string) =>
  Type.Union(
    values.map((value) => Type.Literal<Values[number]>(value)),
    { description, "x-message": `Must be one of ${values.join(", ")}.` },
  );

/** What more is said in every authorization request, such as `access_type` or `hd`. */
export const AuthorizationParameters = Type.Record(
  Type.String({ pattern: "^[a-z_]{1,64}$" }),
  Type.String({ maxLength: 512 }),
  { description: "What more every authorization request says", maxProperties: 20 },
);

/** A secret that is only ever written. */
export const Secret = (description: string, maxLength = 1024) =>
  Type.String({
    minLength: 1,
    maxLength,
    description,
    "x-message": `Must be 1 to ${maxLength} characters.`,
  });

/** Objects of configuration hold what they are known to hold, and nothing else. */
export const Closed = <Members extends Record<string, TSchema>>(members: Members) =>
  Type.Object(members, { additionalProperties: false });
