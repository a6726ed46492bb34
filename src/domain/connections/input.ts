/** From what an administrator says of a connection to a connection, or to what is wrong with it. */
import { isDisplayName } from "../../lib/display-name.ts";
import { type FieldError, validationError } from "../../lib/errors.ts";
import type { Id } from "../../lib/ids.ts";
import { templateProblem } from "../templates/liquid.ts";
import { asciiDomain } from "./domains.ts";
import { configProblems, connectionOf, readConfig, secretProblems, withDefaults } from "./kinds.ts";
import {
  type Connection,
  type ConnectionKind,
  connectionKinds,
  emailTrusts,
  linkPolicies,
  type MappedAttribute,
  mappedAttributes,
} from "./model.ts";
import { findPreset, type Preset } from "./presets.ts";
import { configurationProblems, domainProblems } from "./rules.ts";
import { isConnectionKey } from "./service.ts";

/** What can be said of a connection at any time. */
export interface ConnectionChanges {
  readonly name?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly allowSignIn?: boolean | undefined;
  readonly allowSignUp?: boolean | undefined;
  readonly blockEmailSubaddresses?: boolean | undefined;
  readonly linkPolicy?: string | undefined;
  readonly trustEmails?: string | undefined;
  readonly trustUpstreamMfa?: boolean | undefined;
  readonly defaultRole?: string | null | undefined;
  /** Replaces the mapping. */
  readonly attributeMapping?: Readonly<Record<string, string>> | undefined;
  /** Replace the domains. */
  readonly domains?: readonly string[] | undefined;
  /** Member by member; null takes one away. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** Secret by secret; null takes one away. */
  readonly secrets?: Readonly<Record<string, string | null>> | undefined;
}

/** What is said once. */
export interface NewConnection extends ConnectionChanges {
  readonly preset?: string | undefined;
  readonly kind?: string | undefined;
  readonly key?: string | undefined;
}

export interface Written {
  readonly connection: Connection;
  readonly secrets: Readonly<Record<string, string>>;
}

interface Surroundings {
  /** Whether a directory may be asked in the clear. */
  readonly plainLdap: boolean;
  readonly now: Date;
}

/** @throws AppError 422 that names each wrong field */
export function newConnection(
  input: NewConnection,
  made: { tenantId: Id<"tenant">; id: Id<"connection">; organizationId: Id<"organization"> | null },
  { now, plainLdap }: Surroundings,
): Written {
  const preset = input.preset === undefined ? undefined : findPreset(input.preset);
  const kind = preset?.kind ?? connectionKinds.find((one) => one === input.kind);
  const problems: FieldError[] = [];
  if (input.preset !== undefined && !preset) problems.push({ field: "preset", message: "Is no preset." });
  if (preset && input.kind !== undefined && input.kind !== preset.kind)
    problems.push({ field: "kind", message: "Is the preset's to say." });
  if (!kind)
    problems.push({ field: "kind", message: `Must be one of ${connectionKinds.join(", ")}, or a preset.` });
  const key = input.key ?? input.preset ?? "";
  if (!isConnectionKey(key))
    problems.push({ field: "key", message: "Must be 1 to 63 lower-case letters, digits or inner hyphens." });
  if (!kind || problems.length > 0) throw validationError(problems);
  const base = {
    ...made,
    preset: preset ? (input.preset ?? null) : null,
    key,
    name: preset?.name ?? key,
    enabled: true,
    allowSignIn: true,
    allowSignUp: true,
    blockEmailSubaddresses: false,
    linkPolicy: "verified_email",
    trustEmails: preset?.trustEmails ?? "never",
    trustUpstreamMfa: false,
    defaultRole: null,
    attributeMapping: preset?.attributeMapping ?? {},
    domains: [],
    createdAt: now,
    updatedAt: now,
  } as const;
  const start = { base, kind, config: withDefaults(kind, preset?.config ?? {}), secrets: {} };
  return written(start, input, { now, plainLdap, required: preset?.required });
}

/** @throws AppError 422 that names each wrong field */
export function changedConnection(
  { connection, secrets }: Written,
  changes: ConnectionChanges,
  surroundings: Surroundings,
): Written {
  const { kind, config, ...base } = connection;
  return written({ base, kind, config, secrets }, changes, surroundings);
}

interface Start {
  readonly base: Omit<Connection, "kind" | "config">;
  readonly kind: ConnectionKind;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

function written(
  start: Start,
  changes: ConnectionChanges,
  { now, plainLdap, required = [] }: Surroundings & { required?: Preset["required"] },
): Written {
  const problems: FieldError[] = [];
  const add = (field: string, wrong: boolean, message: string) => {
    if (wrong) problems.push({ field, message });
  };
  const { base } = start;
  const name = changes.name?.trim() ?? base.name;
  add("name", !isDisplayName(name), "Must be 1 to 128 printable characters.");
  const linkPolicy = linkPolicies.find((one) => one === (changes.linkPolicy ?? base.linkPolicy));
  add("link_policy", !linkPolicy, `Must be one of ${linkPolicies.join(", ")}.`);
  const trustEmails = emailTrusts.find((one) => one === (changes.trustEmails ?? base.trustEmails));
  add("trust_emails", !trustEmails, `Must be one of ${emailTrusts.join(", ")}.`);
  const attributeMapping = readMapping(changes.attributeMapping ?? base.attributeMapping, problems);
  const domains = readDomains(changes.domains ?? base.domains, problems);
  const config = merged(start.config, changes.config ?? {});
  const secrets = merged(start.secrets, changes.secrets ?? {});
  problems.push(...configProblems(start.kind, config), ...secretProblems(start.kind, secrets));
  for (const member of required) add(`config.${member}`, config[member] === undefined, "Is required.");
  const enabled = changes.enabled ?? base.enabled;
  const configured = readConfig(start.kind, config);
  if (configured) problems.push(...configurationProblems(configured, secrets, { enabled, plainLdap }));
  if (trustEmails) problems.push(...domainProblems(trustEmails, domains));
  if (problems.length > 0 || !configured || !linkPolicy || !trustEmails) throw validationError(problems);
  const connection = connectionOf(
    {
      ...base,
      name,
      enabled,
      allowSignIn: changes.allowSignIn ?? base.allowSignIn,
      allowSignUp: changes.allowSignUp ?? base.allowSignUp,
      blockEmailSubaddresses: changes.blockEmailSubaddresses ?? base.blockEmailSubaddresses,
      linkPolicy,
      trustEmails,
      trustUpstreamMfa: changes.trustUpstreamMfa ?? base.trustUpstreamMfa,
      defaultRole: changes.defaultRole === undefined ? base.defaultRole : changes.defaultRole,
      attributeMapping,
      domains,
      updatedAt: now,
    },
    configured,
  );
  return { connection, secrets };
}

/** Members that are null are taken away. */
function merged<Value>(
  before: Readonly<Record<string, Value>>,
  changes: Readonly<Record<string, Value | null>>,
): Record<string, Value> {
  const after: Record<string, Value> = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined) delete after[name];
    else after[name] = value;
  }
  return after;
}

function readMapping(
  given: Readonly<Record<string, string>>,
  problems: FieldError[],
): Partial<Record<MappedAttribute, string>> {
  const mapping: Partial<Record<MappedAttribute, string>> = {};
  for (const [name, template] of Object.entries(given)) {
    const attribute = mappedAttributes.find((known) => known === name);
    const problem = attribute ? templateProblem(template) : `Has to map ${mappedAttributes.join(", ")}.`;
    const field = attribute ? `attribute_mapping.${attribute}` : "attribute_mapping";
    if (problem !== undefined) problems.push({ field, message: problem });
    else if (attribute) mapping[attribute] = template;
  }
  return mapping;
}

function readDomains(given: readonly string[], problems: FieldError[]): string[] {
  const domains = given.map(asciiDomain);
  if (domains.includes(undefined))
    problems.push({ field: "domains", message: "Must be domains of email addresses, such as example.com." });
  return [...new Set(domains.flatMap((domain) => domain ?? []))].toSorted();
}
