/**
 * Whose password it is, by bind and search: against OpenLDAP where this machine has it, and in any case against a directory
 * of our own.
 */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import type { Deps } from "../../../src/deps.ts";
import type { LdapConfig } from "../../../src/domain/connections/kinds/ldap.ts";
import type { LdapConnection } from "../../../src/domain/connections/service.ts";
import { DirectoryError } from "../../../src/domain/ldap/client.ts";
import { authenticatePerson } from "../../../src/domain/ldap/person.ts";
import { caller, newAdministrator } from "../../api/native/admin/support.ts";
import { createOtherTenant, type OtherTenant } from "../../attacks/support.ts";
import { CERTIFICATE, type FakeDirectory, startFakeDirectory } from "../../support/directory/fake.ts";
import {
  company,
  PASSWORD,
  person,
  READER,
  readerEntry,
  SUFFIX,
  uuidOf,
} from "../../support/directory/people.ts";
import { hasSlapd, startSlapd } from "../../support/directory/slapd.ts";
import { connectDirectory, uncounted } from "../../support/directory/connection.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let tenant: OtherTenant;
let admin: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  tenant = await createOtherTenant(server, "corp");
  admin = caller(tenant.base, (await newAdministrator(server, tenant)).token);
});
afterAll(() => server.stop());

const connection = (url: string, config: Partial<LdapConfig> = {}) =>
  connectDirectory(server.deps, tenant.tenant.id, admin, { url, ...config });
const ask = (deps: Deps, to: LdapConnection, username: string, password = PASSWORD) =>
  authenticatePerson(deps, to, { username, password, beginAttempt: uncounted });

interface Peer {
  readonly plain: string;
  readonly secure: string;
  stop(): Promise<void>;
}

const peers: [string, boolean, () => Promise<Peer>][] = [
  [
    hasSlapd ? "OpenLDAP" : "OpenLDAP, which this machine lacks (apt-get install slapd)",
    hasSlapd,
    async () => {
      const { ldapUrl, ldapsUrl, stop } = await startSlapd(SUFFIX, READER, company);
      return { plain: ldapUrl, secure: ldapsUrl, stop };
    },
  ],
  [
    "a directory of our own",
    true,
    async () => {
      const entries = [...company, readerEntry];
      const [plain, secure] = [
        await startFakeDirectory(entries),
        await startFakeDirectory(entries, { tls: true }),
      ];
      return {
        plain: plain.url,
        secure: secure.url,
        stop: async () => void (await Promise.all([plain.stop(), secure.stop()])),
      };
    },
  ],
];

for (const [name, isThere, start] of peers) {
  describe.skipIf(!isThere)(`against ${name}`, () => {
    let peer: Peer;
    beforeAll(async () => {
      peer = await start();
    });
    afterAll(() => peer.stop());

    it("knows somebody by their name or address, as the directory tells of them", async () => {
      const to = await connection(peer.secure, { ca_certificate: CERTIFICATE });
      for (const username of ["ada", "ADA", "ada@corp.example"])
        expect(await ask(server.deps, to, username)).toMatchObject({
          identity: {
            subject: uuidOf.ada,
            email: "ada@corp.example",
            username: "ada",
            givenName: "ada",
            familyName: "Corp",
            emailVerified: false,
          },
        });
      expect((await ask(server.deps, to, "müller"))?.identity).toMatchObject({ subject: uuidOf.mueller });
    });

    it.each(["wrong", "", " ", "\0", PASSWORD.toUpperCase(), `${PASSWORD} `])(
      "lets nobody in by the password %p",
      async (password) => {
        const to = await connection(peer.plain);
        expect(await ask(server.deps, to, "ada", password)).toBeUndefined();
      },
    );

    it.each([
      "nobody",
      "*",
      "a*",
      "ada)(uid=*",
      "ada)(|(uid=*",
      "*)(uid=*))(|(uid=*",
      "\0",
      "ada\0",
      "(",
      "\\2a",
    ])("finds nobody by %p", async (username) => {
      const to = await connection(peer.plain);
      expect(await ask(server.deps, to, username)).toBeUndefined();
    });

    it("takes nobody of two that have one address", async () => {
      const to = await connection(peer.plain);
      expect(await ask(server.deps, to, "twin@corp.example")).toBeUndefined();
      expect(await ask(server.deps, to, "twin1")).toBeDefined();
    });

    it("gives the roles of somebody's groups", async () => {
      const to = await connection(peer.plain, {
        group_base_dn: `ou=groups,${SUFFIX}`,
        group_filter: "(&(objectClass=groupOfNames)(member={{dn}}))",
        group_attribute: "cn",
        group_roles: {
          engineers: ["builder"],
          [`CN=Managers, OU=groups, ${SUFFIX}`]: ["boss"],
          others: ["guest"],
        },
      });
      expect((await ask(server.deps, to, "ada"))?.roles).toEqual(["builder"]);
      expect((await ask(server.deps, to, "grace"))?.roles.toSorted()).toEqual(["boss", "builder"]);
      expect((await ask(server.deps, to, "müller"))?.roles).toEqual([]);
    });

    it("is not talked to where its certificate is not trusted", async () => {
      const to = await connection(peer.secure);
      await expect(ask(server.deps, to, "ada")).rejects.toMatchObject({ step: "connect" });
    });

    it("tells when it does not let us search", async () => {
      const to = await connection(peer.plain, { bind_dn: `cn=other,${SUFFIX}` });
      await expect(ask(server.deps, to, "ada")).rejects.toMatchObject({ step: "bind" });
    });
  });
}

describe.skipIf(!hasSlapd)("StartTLS (RFC 4511 §4.14)", () => {
  it("makes the connection secure before anything is said", async () => {
    const { ldapUrl, stop } = await startSlapd(SUFFIX, READER, company);
    try {
      const trusted = await connection(ldapUrl, { start_tls: true, ca_certificate: CERTIFICATE });
      expect(await ask(server.deps, trusted, "ada")).toMatchObject({ identity: { subject: uuidOf.ada } });
      const untrusted = await connection(ldapUrl, { start_tls: true });
      await expect(ask(server.deps, untrusted, "ada")).rejects.toBeInstanceOf(DirectoryError);
    } finally {
      await stop();
    }
  });
});

describe("a directory's entries", () => {
  let directory: FakeDirectory;
  beforeAll(async () => {
    directory = await startFakeDirectory([readerEntry]);
  });
  afterAll(() => directory.stop());

  const asks = async (entry: ReturnType<typeof person>, config: Partial<LdapConfig> = {}) => {
    directory.entries = [readerEntry, entry];
    return ask(server.deps, await connection(directory.url, config), "ada");
  };
  const described = { uid: "ada", uuid: uuidOf.ada };

  it("name somebody by an objectGUID as Active Directory writes it", async () => {
    const guid = Buffer.from("0011223344556677 8899aabbccddeeff".replace(" ", ""), "hex");
    const found = await asks(person({ ...described, more: { objectGUID: [guid] } }), {
      subject_attribute: "objectGUID",
    });
    expect(found?.identity.subject).toBe("33221100-5544-7766-8899-aabbccddeeff");
  });

  it("name somebody by other octets in hex, each its own", async () => {
    const subjects = new Set<string | undefined>();
    for (const octets of ["ff00", "ff01", "fe00"]) {
      const found = await asks(person({ ...described, more: { objectSid: [Buffer.from(octets, "hex")] } }), {
        subject_attribute: "objectSid",
      });
      subjects.add(found?.identity.subject);
    }
    expect(subjects).toEqual(new Set(["ff00", "ff01", "fe00"]));
  });

  it("that name nobody, or two, are an error", async () => {
    for (const values of [[], ["a", "b"]])
      await expect(
        asks(person({ ...described, more: { employeeNumber: values } }), {
          subject_attribute: "employeeNumber",
        }),
      ).rejects.toMatchObject({ step: "entry" });
  });

  it.each<[string, Record<string, string[]>, boolean]>([
    ["an ordinary account", { userAccountControl: ["512"] }, true],
    ["one that Active Directory disabled", { userAccountControl: ["514"] }, false],
    ["one that 389 Directory Server locked", { nsAccountLock: ["TRUE"] }, false],
  ])("of %p", async (_, more, isLetIn) => {
    expect((await asks(person({ ...described, more }))) !== undefined).toBe(isLetIn);
  });

  it("say the groups themselves (memberOf), compared as names", async () => {
    const memberOf = [`CN=Engineers,OU=Groups,${SUFFIX}`];
    const found = await asks(person({ ...described, more: { memberOf } }), {
      group_roles: { [`cn=engineers, ou=groups, ${SUFFIX}`]: ["builder"], engineers: ["boss"] },
    });
    expect(found?.roles).toEqual(["builder"]);
  });

  it("are asked for as often for somebody unknown as for a wrong password", async () => {
    const to = await connection(directory.url);
    directory.entries = [readerEntry, person(described)];
    const kinds = async (username: string) => {
      directory.asked.length = 0;
      expect(await ask(server.deps, to, username, "wrong")).toBeUndefined();
      return directory.asked.map(({ kind }) => kind);
    };
    expect(await kinds("ada")).toEqual(["bind", "search", "bind"]);
    expect(await kinds("nobody")).toEqual(["bind", "search", "bind"]);
  });
});
