import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { readStartTlsAnswer, START_TLS_REQUEST } from "./start-tls.ts";
import { Deadline } from "./deadline.ts";
import { OutboundError } from "./errors.ts";
import { resolveHost, type TargetPolicy } from "./target.ts";

export interface DirectoryRequest {
  /** Makes `ldap:` secure before anything else is said (RFC 4511 §4.14). */
  readonly startTls: boolean;
  /** PEM: the authorities to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** For all that is done over the connection, from the name to the last byte. */
  readonly timeoutMs: number;
  /** Of all that the directory sends. */
  readonly maxBytes: number;
}

/** A connection that nothing was said over but, perhaps, StartTLS. It is closed when its time or its bytes are used up. */
export interface DirectorySocket {
  readonly socket: Socket;
  close(): void;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly secure: boolean;
}

/**
 * Connects to one of the checked addresses of a directory, and verifies its certificate for its name.
 * @throws OutboundError
 */
export async function openDirectory(
  url: string,
  request: DirectoryRequest,
  policy: TargetPolicy,
): Promise<DirectorySocket> {
  const deadline = new Deadline(request.timeoutMs);
  try {
    const place = await deadline.bound(resolveDirectory(url, request, policy));
    const socket = await connected(place, request, deadline);
    const close = () => {
      deadline.clear();
      socket.destroy();
    };
    boundBytes(socket, request.maxBytes, close);
    deadline.signal.addEventListener("abort", close);
    socket.on("error", close);
    return { socket, close };
  } catch (error) {
    deadline.clear();
    throw error;
  }
}

async function resolveDirectory(
  text: string,
  { startTls }: DirectoryRequest,
  policy: TargetPolicy,
): Promise<Place> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^ldaps?:$/.test(url.protocol) || url.hostname === "" || url.username || url.password)
    throw new OutboundError("url", "not an ldaps: or ldap: URL of a host");
  const secure = url.protocol === "ldaps:";
  const port = url.port === "" ? (secure ? 636 : 389) : Number(url.port);
  const { addresses, allowed } = await resolveHost(url.hostname, policy);
  // Where a directory is in the internet, passwords go to it over TLS; elsewhere, a developer may do without.
  if (!secure && !startTls && !(allowed && policy.allowPlain))
    throw new OutboundError("url", "a directory is asked over TLS");
  if (!allowed && port < 1024 && port !== 389 && port !== 636)
    throw new OutboundError("url", `port ${port} is not asked`);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, addresses, secure };
}

async function connected(place: Place, request: DirectoryRequest, deadline: Deadline): Promise<Socket> {
  let failed: unknown;
  for (const [index, address] of place.addresses.entries()) {
    const patienceMs = deadline.remainingMs() / (place.addresses.length - index);
    try {
      const plain = await established(connectTcp({ host: address, port: place.port }), "connect", patienceMs);
      return await secured(plain, place, request, deadline);
    } catch (cause) {
      failed = cause;
    }
  }
  if (failed instanceof OutboundError) throw failed;
  throw new OutboundError("unreachable", `no trusted connection to ${place.host}`, { cause: failed });
}

async function secured(
  plain: Socket,
  { host, secure }: Place,
  { startTls, ca }: DirectoryRequest,
  deadline: Deadline,
): Promise<Socket> {
  if (!secure && !startTls) return plain;
  try {
    if (!secure) await requestStartTls(plain, deadline.remainingMs());
    const socket = connectTls({
      socket: plain,
      // What the certificate is compared with, where there is no server name.
      host,
      // Said here, so that no NODE_TLS_REJECT_UNAUTHORIZED of the environment says otherwise.
      rejectUnauthorized: true,
      ...(isIP(host) ? {} : { servername: host }),
      ...(ca === undefined ? {} : { ca }),
    });
    return await established(socket, "secureConnect", deadline.remainingMs());
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

/** @throws OutboundError unreachable */
function established<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  ms: number,
): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const fail = (cause?: unknown) => {
    socket.destroy();
    reject(new OutboundError("unreachable", "the directory cannot be connected to", { cause }));
  };
  const timer = setTimeout(fail, ms);
  socket.once(event, () => resolve(socket));
  socket.once("error", fail);
  socket.once("close", fail);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off("error", fail).off("close", fail);
  });
}

async function requestStartTls(socket: Socket, ms: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let answered = Buffer.alloc(0);
  const refuse = () => reject(new OutboundError("protocol", "the directory does not begin TLS"));
  const timer = setTimeout(refuse, ms);
  const read = (bytes: Buffer) => {
    answered = Buffer.concat([answered, bytes]);
    const answer = readStartTlsAnswer(answered);
    if (answer === "accepted") resolve();
    else if (answer === "refused") refuse();
  };
  socket.on("data", read).once("error", refuse).once("close", refuse);
  socket.write(START_TLS_REQUEST);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.off("data", read).off("error", refuse).off("close", refuse);
  }
}

/** A directory could send without an end: what is read is held in memory until its message is complete. */
function boundBytes(socket: Socket, most: number, close: () => void): void {
  let read = 0;
  socket.on("data", (bytes: Buffer) => {
    read += bytes.length;
    if (read > most) close();
  });
}
