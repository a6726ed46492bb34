/** What a service provider asks for (SAML Core §3.4.1), and whether it may. */
import { SamlError } from "../errors.ts";
import { checkMessage, issuerOf, plainTextOf, readNameId } from "../message.ts";
import { bindings, nameIdFormats, ns } from "../names.ts";
import { type Clocks } from "../time.ts";
import { attributeOf, childrenNamed, isNamed } from "../xml.ts";
import { type Comparison, isComparison, type RequestedContext } from "./authn-context.ts";

export interface AuthnRequest {
  readonly id: string;
  /** Where the answer goes: one of those that are registered. */
  readonly acsUrl: string;
  /** Undefined: HTTP-POST, which is how we answer. */
  readonly protocolBinding: string | undefined;
  readonly forceAuthn: boolean;
  readonly isPassive: boolean;
  /** Undefined where any will do. */
  readonly nameIdFormat: string | undefined;
  readonly spNameQualifier: string | undefined;
  readonly context: RequestedContext | undefined;
  /** The NameID that the answer has to be about. */
  readonly subject: { readonly value: string; readonly format: string | undefined } | undefined;
}

export interface ServiceProvider {
  readonly entityId: string;
  readonly acsUrls: readonly { readonly url: string; readonly index: number; readonly is_default: boolean }[];
}

/**
 * Reads an AuthnRequest whose signature, where it has one, was verified.
 * @param root nothing but what was signed, of a signed document
 * @param destination our endpoint that it came to
 * @throws SamlError
 */
export function readAuthnRequest(
  root: Element,
  sp: ServiceProvider,
  { signed, destination, ...clocks }: Clocks & { signed: boolean; destination: string },
): AuthnRequest {
  if (!isNamed(root, ns.protocol, "AuthnRequest"))
    throw new SamlError("unexpected_message", "no AuthnRequest");
  const { id } = checkMessage(
    root,
    { issuer: sp.entityId, destination, ...clocks },
    { signed, issuerRequired: true },
  );
  // It becomes an attribute of our answer, and a key of the replay table.
  if (!/^[A-Za-z_][\w.-]*$/.test(id)) throw new SamlError("message_id", "an ID that is no xs:ID");
  return {
    id,
    acsUrl: chooseAcs(root, sp),
    protocolBinding: attributeOf(root, "ProtocolBinding"),
    forceAuthn: readBoolean(root, "ForceAuthn"),
    isPassive: readBoolean(root, "IsPassive"),
    ...readNameIdPolicy(root),
    context: readRequestedContext(root),
    subject: readSubject(root),
  };
}

/** The issuer that a message names, before anything in it is believed: to find out whose certificates it is verified with. */
export const claimedIssuer = (root: Element): string | undefined => issuerOf(root);

/**
 * The request only ever chooses among the registered ones: an address taken from it would send a signed-in person's assertion
 * to whoever wrote the request (SAML Profiles §4.1.4.1).
 * @throws SamlError
 */
function chooseAcs(root: Element, { acsUrls }: ServiceProvider): string {
  const url = attributeOf(root, "AssertionConsumerServiceURL");
  const index = attributeOf(root, "AssertionConsumerServiceIndex");
  // SAML Core §3.4.1: one or the other.
  if (url !== undefined && index !== undefined)
    throw new SamlError("assertion_consumer_service", "both an address and an index");
  const chosen =
    url === undefined && index === undefined
      ? defaultAcs(acsUrls)
      : acsUrls.find((acs) => (url === undefined ? String(acs.index) === index : acs.url === url));
  if (!chosen) throw new SamlError("assertion_consumer_service", "one that is not registered");
  return chosen.url;
}

/** SAML Metadata §2.2.3: the one that is marked, else the first. */
export const defaultAcs = <Acs extends { readonly is_default: boolean }>(
  acsUrls: readonly Acs[],
): Acs | undefined => acsUrls.find((acs) => acs.is_default) ?? acsUrls[0];

function readNameIdPolicy(root: Element): Pick<AuthnRequest, "nameIdFormat" | "spNameQualifier"> {
  const [policy, ...more] = childrenNamed(root, ns.protocol, "NameIDPolicy");
  if (more.length > 0) throw new SamlError("schema", "several NameIDPolicies");
  const format = policy && attributeOf(policy, "Format");
  return {
    nameIdFormat: format === nameIdFormats.unspecified ? undefined : format,
    spNameQualifier: policy && attributeOf(policy, "SPNameQualifier"),
  };
}

const MOST_CLASSES = 20;

function readRequestedContext(root: Element): RequestedContext | undefined {
  const [requested, ...more] = childrenNamed(root, ns.protocol, "RequestedAuthnContext");
  if (!requested) return undefined;
  const classes = childrenNamed(requested, ns.assertion, "AuthnContextClassRef").map((element) =>
    plainTextOf(element, "issuer"),
  );
  const comparison: string = attributeOf(requested, "Comparison") ?? "exact";
  if (more.length > 0 || classes.length > MOST_CLASSES || !isComparison(comparison))
    throw new SamlError("schema", "a RequestedAuthnContext that cannot be understood");
  return { classes, comparison: comparison satisfies Comparison };
}

/** SAML Core §3.4.1.4. Who is meant by something else than a NameID cannot be found here. */
function readSubject(root: Element): AuthnRequest["subject"] {
  const [subject, ...more] = childrenNamed(root, ns.assertion, "Subject");
  if (more.length > 0) throw new SamlError("subject", "several subjects");
  if (!subject) return undefined;
  const { value, format } = readNameId(subject);
  return { value, format };
}

/** xs:boolean. */
function readBoolean(root: Element, name: string): boolean {
  const value = attributeOf(root, name) ?? "false";
  if (!["true", "false", "1", "0"].includes(value)) throw new SamlError("schema", `${name} is no boolean`);
  return value === "true" || value === "1";
}

/** Why a request that was understood is answered without an assertion (SAML Core §3.2.2.2, §3.4.1.1, §3.4.1.2). */
export type AuthnRefusal =
  | "UnsupportedBinding"
  | "InvalidNameIDPolicy"
  | "NoAuthnContext"
  | "NoPassive"
  | "UnknownPrincipal"
  | "AuthnFailed";

/**
 * What can be said before anybody is asked anything.
 * @param sp how the application was registered
 */
export function refuseRequest(
  request: AuthnRequest,
  sp: { readonly entityId: string; readonly nameIdFormat: keyof typeof nameIdFormats },
): AuthnRefusal | undefined {
  const { protocolBinding, nameIdFormat, spNameQualifier } = request;
  if (protocolBinding !== undefined && protocolBinding !== bindings.post) return "UnsupportedBinding";
  // What the application learns of people is the administrator's to say, not its own.
  if (nameIdFormat !== undefined && nameIdFormat !== nameIdFormats[sp.nameIdFormat])
    return "InvalidNameIDPolicy";
  return spNameQualifier !== undefined && spNameQualifier !== sp.entityId ? "InvalidNameIDPolicy" : undefined;
}
