/**
 * A directory in this process: simple binds and searches over entries that a test gives it, and whatever else a test wants
 * it to say. It stands in where there is no OpenLDAP, and does what that would not.
 */
import { createServer as createTcp, type AddressInfo, type Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import {
  AndFilter,
  BerReader,
  BerWriter,
  EqualityFilter,
  FilterParser,
  OrFilter,
  PresenceFilter,
} from "ldapts";

export const CERTIFICATE = await Bun.file(`${import.meta.dir}/certificate.pem`).text();
const PRIVATE_KEY = await Bun.file(`${import.meta.dir}/private-key.pem`).text();

export interface FakeEntry {
  readonly dn: string;
  readonly password?: string;
  readonly attributes: Readonly<Record<string, readonly (string | Buffer)[]>>;
}

/** What was asked, in its order. */
export type Asked =
  | { readonly kind: "bind"; readonly dn: string; readonly password: string }
  | { readonly kind: "search"; readonly base: string; readonly filter: string }
  | { readonly kind: "extended" };

export interface FakeDirectory {
  readonly url: string;
  readonly port: number;
  readonly asked: Asked[];
  /** Replaced by a test as it likes. */
  entries: FakeEntry[];
  stop(): Promise<void>;
}

/** @param instead speaks in its place: gets each connection, and what comes over it */
export async function startFakeDirectory(
  entries: readonly FakeEntry[],
  options: { tls?: boolean; instead?: (socket: Socket, bytes: Buffer) => void } = {},
): Promise<FakeDirectory> {
  const open = new Set<Socket>();
  const directory = { asked: [] as Asked[], entries: [...entries] };
  const serve = (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    let buffered = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      if (options.instead) return options.instead(socket, bytes);
      buffered = Buffer.concat([buffered, bytes]);
      for (let message = first(buffered); message; message = first(buffered)) {
        buffered = buffered.subarray(message.length);
        const answer = answerTo(directory, message);
        if (answer) socket.write(answer);
        else socket.end();
      }
    });
  };
  const server = options.tls ? createTls({ cert: CERTIFICATE, key: PRIVATE_KEY }, serve) : createTcp(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(directory, {
    port,
    url: `${options.tls ? "ldaps" : "ldap"}://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  });
}

/** The first whole message. */
function first(bytes: Buffer): Buffer | undefined {
  const reader = new BerReader(bytes);
  if (bytes.length < 2 || reader.readSequence() === null) return undefined;
  const end = reader.offset + reader.length;
  return end > bytes.length ? undefined : bytes.subarray(0, end);
}

const OPERATIONS = { bind: 0x60, unbind: 0x42, search: 0x63, extended: 0x77 };
const SUCCESS = 0;
const PROTOCOL_ERROR = 2;
const INVALID_CREDENTIALS = 49;

function answerTo(
  directory: { asked: Asked[]; entries: readonly FakeEntry[] },
  message: Buffer,
): Buffer | undefined {
  const reader = new BerReader(message);
  reader.readSequence();
  const id = reader.readInt() ?? 0;
  const operation = reader.peek();
  if (operation === OPERATIONS.unbind) return undefined;
  reader.readSequence();
  if (operation === OPERATIONS.bind) {
    reader.readInt();
    const dn = reader.readString() ?? "";
    const password = reader.readString(0x80) ?? "";
    directory.asked.push({ kind: "bind", dn, password });
    // As RFC 4513 §5.1.2 has it, and as many directories still do: no password binds as nobody, with success.
    const right = password === "" || passwordOf(directory.entries, dn) === password;
    return result(id, 0x61, right ? SUCCESS : INVALID_CREDENTIALS);
  }
  if (operation === OPERATIONS.search) {
    const base = reader.readString() ?? "";
    reader.readEnumeration();
    reader.readEnumeration();
    const sizeLimit = reader.readInt() ?? 0;
    reader.readInt();
    reader.readBoolean();
    const filter = filterOf(reader);
    directory.asked.push({ kind: "search", base, filter: filter.toString() });
    const found = directory.entries
      .filter((entry) => entry.dn.toLowerCase().endsWith(base.toLowerCase()) && matches(filter, entry))
      .slice(0, sizeLimit);
    return Buffer.concat([...found.map((entry) => entryMessage(id, entry)), result(id, 0x65, SUCCESS)]);
  }
  directory.asked.push({ kind: "extended" });
  return result(id, 0x78, PROTOCOL_ERROR);
}

/** The library reads the name in `(name=*)` from another place. */
const filterOf = (reader: BerReader) =>
  reader.peek() === 0x87
    ? new PresenceFilter({ attribute: reader.readString(0x87) ?? "" })
    : FilterParser.parse(reader);

const passwordOf = (entries: readonly FakeEntry[], dn: string) =>
  entries.find((entry) => entry.dn.toLowerCase() === dn.toLowerCase())?.password;

function matches(filter: unknown, entry: FakeEntry): boolean {
  const valuesOf = (name: string) =>
    Object.entries(entry.attributes).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1] ?? [];
  if (filter instanceof AndFilter) return filter.filters.every((one) => matches(one, entry));
  if (filter instanceof OrFilter) return filter.filters.some((one) => matches(one, entry));
  if (filter instanceof PresenceFilter) return valuesOf(filter.attribute).length > 0;
  if (!(filter instanceof EqualityFilter)) return false;
  const wanted = filter.value.toString().toLowerCase();
  return valuesOf(filter.attribute).some((value) => value.toString().toLowerCase() === wanted);
}

/** An LDAPResult (RFC 4511 §4.1.9). */
export function result(id: number, tag: number, code: number, message = ""): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(tag);
  writer.writeEnumeration(code);
  writer.writeString("");
  writer.writeString(message);
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

export function entryMessage(id: number, { dn, attributes }: FakeEntry): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(0x64);
  writer.writeString(dn);
  writer.startSequence();
  for (const [name, values] of Object.entries(attributes)) {
    writer.startSequence();
    writer.writeString(name);
    writer.startSequence(0x31);
    for (const value of values) writer.writeBuffer(Buffer.from(value), 0x04);
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}
