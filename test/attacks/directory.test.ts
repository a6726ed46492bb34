/** A directory that is not what it seems (RFC 4513 §6): what it sends must neither let anybody in nor bring us down. */
import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import { BerReader } from "ldapts";
import { DirectoryError, withDirectory } from "../../src/domain/ldap/client.ts";
import { authenticatePerson } from "../../src/domain/ldap/person.ts";
import { caller, newAdministrator } from "../api/native/admin/support.ts";
import { connectDirectory, uncounted } from "../support/directory/connection.ts";
import {
  CERTIFICATE,
  entryMessage,
  type FakeEntry,
  result,
  startFakeDirectory,
} from "../support/directory/fake.ts";
import { company, PASSWORD, person, readerEntry, uuidOf } from "../support/directory/people.ts";
import { until } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { createOtherTenant, type OtherTenant } from "./support.ts";

let server: TestServer;
let of: OtherTenant;
let admin: ReturnType<typeof caller>;

beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  of = await createOtherTenant(server, "corp");
  admin = caller(of.base, (await newAdministrator(server, of)).token);
});
afterAll(() => server.stop());

async function ask(url: string, username = "ada", password = PASSWORD, config = {}) {
  const connection = await connectDirectory(server.deps, of.tenant.id, admin, { url, ...config });
  return authenticatePerson(server.deps, connection, { username, password, beginAttempt: uncounted });
}

/** Answers each request by what `say` makes of its id and operation. */
const speaking = (say: (id: number, operation: number) => Buffer, options: { once?: boolean } = {}) =>
  startFakeDirectory([], {
    instead: (socket, bytes) => {
      const reader = new BerReader(bytes);
      reader.readSequence();
      const answer = say(reader.readInt() ?? 0, reader.peek() ?? 0);
      // Nobody waits then for what does not come.
      if (options.once) socket.end(answer);
      else socket.write(answer);
    },
  });

const ADA = person({ uid: "ada", uuid: uuidOf.ada, mail: "ada@corp.example" });

describe("a bind without a password (RFC 4513 §5.1.2)", () => {
  /** Guard: domain/ldap/person.ts, authenticatePerson (the empty password), and client.ts, isPasswordOf. */
  it("is never tried: the directory would let it succeed as nobody", async () => {
    const directory = await startFakeDirectory([...company, readerEntry]);
    expect(await ask(directory.url, "ada", "")).toBeUndefined();
    expect(directory.asked).toEqual([]);
    await directory.stop();
  });
});

describe("LDAP injection (CWE-90, RFC 4515 §3)", () => {
  /** Guard: protocol/ldap/filter.ts, escapeFilterValue. */
  it.each(["a*", "ad*", "ada)(objectClass=*", "*)(uid=ada", "ada)(&(uid=ada"])(
    "what is typed stays a value: %p is nobody",
    async (username) => {
      const directory = await startFakeDirectory([ADA, readerEntry]);
      expect(await ask(directory.url, username)).toBeUndefined();
      const filters = directory.asked.flatMap((asked) => (asked.kind === "search" ? [asked.filter] : []));
      for (const filter of filters) expect(filter.match(/\(/g)).toHaveLength(3);
      await directory.stop();
    },
  );
});

describe("referrals (RFC 4511 §4.1.10, §4.5.3)", () => {
  /** Guard: domain/ldap/client.ts: the library follows none, and nothing of ours does. */
  it("are not followed, whether they come as entries or as the result", async () => {
    const elsewhere = await startFakeDirectory([...company, readerEntry]);
    const reference = (id: number) => {
      const uri = Buffer.from(`${elsewhere.url}/dc=corp,dc=example`);
      const body = Buffer.concat([Buffer.from([0x04, uri.length]), uri]);
      const operation = Buffer.concat([Buffer.from([0x73, body.length]), body]);
      return Buffer.concat([Buffer.from([0x30, operation.length + 3, 0x02, 0x01, id]), operation]);
    };
    for (const code of [0, 10]) {
      const directory = await speaking((id, operation) =>
        operation === 0x63 ? Buffer.concat([reference(id), result(id, 0x65, code)]) : result(id, 0x61, 0),
      );
      const answer = await ask(directory.url).catch((error: unknown) => error);
      expect(answer === undefined || answer instanceof DirectoryError).toBe(true);
      await directory.stop();
    }
    expect(elsewhere.asked).toEqual([]);
    await elsewhere.stop();
  });
});

describe("a connection that is lost", () => {
  /** Guard: domain/ldap/client.ts, createConnection (used): the library would connect anew, without TLS. */
  it("is not made anew, so that no password goes over another one", async () => {
    const connections = new Set<unknown>();
    const directory = await startFakeDirectory([], {
      instead: (socket, bytes) => {
        connections.add(socket);
        const reader = new BerReader(bytes);
        reader.readSequence();
        const id = reader.readInt() ?? 0;
        // The reader is let in, and hung up on; whoever comes anew finds what they look for.
        if (connections.size === 1) socket.end(result(id, 0x61, 0));
        else if (reader.peek() === 0x63)
          socket.write(Buffer.concat([entryMessage(id, ADA), result(id, 0x65, 0)]));
        else socket.write(result(id, 0x61, 0));
      },
    });
    const { config } = await connectDirectory(server.deps, of.tenant.id, admin, { url: directory.url });
    const search = { base: config.base_dn, filter: "(uid=ada)", attributes: ["uid"], most: 1 };
    let answers = 0;
    let refusals = 0;
    await withDirectory(server.deps, config, "password", async (talk) => {
      await talk.bindAsReader();
      // Asked again and again, until the connection was seen to be gone for a while.
      await until("the connection to be gone", async () => {
        await talk.search(search).then(
          () => (answers += 1),
          () => (refusals += 1),
        );
        return answers > 0 || refusals > 20;
      });
    });
    expect([answers, connections.size]).toEqual([0, 1]);
    await directory.stop();
  });
});

describe("answers that are none", () => {
  /** Guard: outbound/directory.ts (bytes, time) and domain/ldap/client.ts (whatever fails is a DirectoryError). */
  it.each<[string, (id: number) => Buffer]>([
    ["another protocol", () => Buffer.from("HTTP/1.1 200 OK\r\n\r\n")],
    ["octets without sense", () => Buffer.from("30ff0201", "hex")],
    ["a length without end", () => Buffer.from("3084ffffffff020101", "hex")],
    ["a success for another message", (id) => Buffer.concat([result(id + 1, 0x61, 0), result(id, 0x61, 49)])],
    ["an answer to another question", (id) => result(id, 0x65, 0)],
    [
      "many messages at once",
      (id) => Buffer.concat(Array.from({ length: 9000 }, () => result(id + 7, 0x61, 0))),
    ],
    ["more than is read", () => Buffer.alloc(2_000_000, 0x30)],
  ])(
    "%s lets nobody in, and the server goes on",
    async (_, say) => {
      const both = (id: number) => Buffer.concat([say(id), result(id, 0x61, 49)]);
      const directory = await speaking(both, { once: true });
      const answer = await ask(directory.url).catch((error: unknown) => error);
      expect(answer === undefined || answer instanceof DirectoryError).toBe(true);
      await directory.stop();
    },
    60_000,
  );

  it("an entry without end is not held in memory", async () => {
    const many: FakeEntry = { dn: ADA.dn, attributes: { uid: ["ada"], cn: ["x".repeat(60_000)] } };
    const directory = await speaking((id, operation) =>
      operation === 0x63
        ? Buffer.concat(Array.from({ length: 40 }, () => entryMessage(id, many)))
        : result(id, 0x61, 0),
    );
    await expect(ask(directory.url)).rejects.toBeInstanceOf(DirectoryError);
    await directory.stop();
  });
});

describe("TLS", () => {
  /** Guard: outbound/directory.ts, secured (rejectUnauthorized, host). */
  it("is for the name of the connection, by its own authority alone", async () => {
    const directory = await startFakeDirectory([ADA, readerEntry], { tls: true });
    expect(await ask(directory.url, "ada", PASSWORD, { ca_certificate: CERTIFICATE })).toBeDefined();
    await expect(ask(directory.url)).rejects.toMatchObject({ step: "connect" });
    await directory.stop();
  });
});
