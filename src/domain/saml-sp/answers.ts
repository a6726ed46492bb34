/** What identity providers said, while the browsers that brought it come back with their cookies. */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Executor } from "../../db/client.ts";
import type { Deps } from "../../deps.ts";
import type { NameId } from "../../protocol/saml/message.ts";
import { consumeOneChallenge, openChallenge } from "../challenges/service.ts";
import type { SamlConnection } from "../connections/service.ts";
import type { UpstreamIdentity } from "../federation/identity.ts";
import type { Tenant } from "../tenants/service.ts";

export interface KeptAnswer {
  readonly identity: UpstreamIdentity;
  readonly inResponseTo: string | undefined;
  readonly relayState: string | undefined;
  readonly nameId: NameId;
  readonly sessionIndex: string | undefined;
  /** When the person proved there who they are. */
  readonly authnInstant: Date;
}

const Text = Type.Optional(Type.String());
const Stored = Type.Object({
  connection_id: Type.String(),
  identity: Type.Object({
    subject: Type.String(),
    email: Text,
    emailVerified: Type.Boolean(),
    username: Text,
    givenName: Text,
    familyName: Text,
    picture: Text,
    locale: Text,
    groups: Type.Optional(Type.Array(Type.String())),
    externalId: Text,
    claims: Type.Record(Type.String(), Type.Unknown()),
    amr: Type.Optional(Type.Array(Type.String())),
  }),
  in_response_to: Text,
  relay_state: Text,
  name_id: Type.Object({
    value: Type.String(),
    format: Text,
    nameQualifier: Text,
    spNameQualifier: Text,
  }),
  session_index: Text,
  authn_instant: Type.String(),
});

/** @returns the handle that it is taken out with */
export async function keepAnswer(
  executor: Executor,
  { tenantId, id }: SamlConnection,
  { now, ...answer }: KeptAnswer & { now: Date },
): Promise<string> {
  const { token } = await openChallenge(executor, {
    tenantId,
    kind: "saml_answer",
    userId: null,
    data: {
      connection_id: id,
      identity: answer.identity,
      in_response_to: answer.inResponseTo,
      relay_state: answer.relayState,
      name_id: answer.nameId,
      session_index: answer.sessionIndex,
      authn_instant: answer.authnInstant.toISOString(),
    },
    now,
  });
  return token;
}

/** Once. @returns undefined for a handle that is unknown, used, too old, or of another connection */
export async function consumeAnswer(
  deps: Deps,
  tenant: Tenant,
  connection: SamlConnection,
  handle: string,
): Promise<KeptAnswer | undefined> {
  const challenge = await consumeOneChallenge(deps.db, tenant.id, "saml_answer", handle, deps.clock.now());
  const stored = challenge?.data;
  if (!Value.Check(Stored, stored) || stored.connection_id !== connection.id) return undefined;
  return fromStored(stored);
}

function fromStored(stored: Static<typeof Stored>): KeptAnswer {
  const { value, format, nameQualifier, spNameQualifier } = stored.name_id;
  return {
    identity: stored.identity,
    inResponseTo: stored.in_response_to,
    relayState: stored.relay_state,
    nameId: { value, format, nameQualifier, spNameQualifier },
    sessionIndex: stored.session_index,
    authnInstant: new Date(stored.authn_instant),
  };
}
