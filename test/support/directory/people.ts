/** A company's directory, as the tests know it. */
import type { FakeEntry } from "./fake.ts";

export const SUFFIX = "dc=corp,dc=example";
export const READER = { dn: `cn=reader,${SUFFIX}`, password: "reader-s3cret" };
export const PASSWORD = "right horse battery";

const UUID = (digit: number) => `0000000${digit}-aaaa-4bbb-8ccc-000000000000`;
export const uuidOf = { ada: UUID(1), grace: UUID(2), mueller: UUID(3) };

interface Described {
  readonly uid: string;
  readonly uuid: string;
  readonly mail?: string;
  readonly password?: string;
  readonly more?: FakeEntry["attributes"];
}

export const person = ({ uid, uuid, mail, password = PASSWORD, more = {} }: Described): FakeEntry => ({
  dn: `uid=${uid},ou=people,${SUFFIX}`,
  password,
  attributes: {
    objectClass: ["inetOrgPerson"],
    uid: [uid],
    cn: [`${uid} of Corp`],
    sn: ["Corp"],
    givenName: [uid],
    ...(mail === undefined ? {} : { mail: [mail] }),
    entryUUID: [uuid],
    ...more,
  },
});

const group = (name: string, members: readonly string[]): FakeEntry => ({
  dn: `cn=${name},ou=groups,${SUFFIX}`,
  attributes: { objectClass: ["groupOfNames"], cn: [name], member: members },
});

const unit = (name: string): FakeEntry => ({
  dn: `ou=${name},${SUFFIX}`,
  attributes: { objectClass: ["organizationalUnit"], ou: [name] },
});

/** Who reads is in none of them: OpenLDAP has them in its configuration. */
export const company: readonly FakeEntry[] = [
  { dn: SUFFIX, attributes: { objectClass: ["dcObject", "organization"], dc: ["corp"], o: ["Corp"] } },
  unit("people"),
  unit("groups"),
  person({ uid: "ada", uuid: uuidOf.ada, mail: "ada@corp.example" }),
  person({ uid: "grace", uuid: uuidOf.grace, mail: "grace@corp.example" }),
  person({ uid: "müller", uuid: uuidOf.mueller }),
  // Two of one address.
  person({ uid: "twin1", uuid: UUID(4), mail: "twin@corp.example" }),
  person({ uid: "twin2", uuid: UUID(5), mail: "twin@corp.example" }),
  group("engineers", [`uid=ada,ou=people,${SUFFIX}`, `uid=grace,ou=people,${SUFFIX}`]),
  group("managers", [`uid=grace,ou=people,${SUFFIX}`]),
];

export const readerEntry: FakeEntry = { ...READER, attributes: { cn: ["reader"] } };
