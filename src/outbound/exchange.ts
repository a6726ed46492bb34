import { Agent as PlainAgent, request as requestPlain, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import { isIP } from "node:net";
import { OutboundError } from "./errors.ts";

export interface OutboundResponse {
  readonly status: number;
  /** By lower-case name; the values of a repeated one joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Exchange {
  readonly url: URL;
  /** Checked before: nothing is resolved from here on. */
  readonly address: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly maxBytes: number;
  /** Aborted when the time of the whole request is over. */
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
  /** PEM: the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
}

/** A connection serves one request: a kept one would have been made for a check that is over. */
const plainAgent = new PlainAgent({ keepAlive: false });
const tlsAgent = new TlsAgent({ keepAlive: false });

/**
 * One request over one connection to the checked address. The name is in the Host header, in the TLS server name, and
 * what the certificate is compared with. Nothing is followed and nothing decoded.
 * @throws OutboundError unreachable, timeout, too_large, encoded or protocol
 */
export async function exchange(sent: Exchange): Promise<OutboundResponse> {
  const answered = await answerOf(sent);
  try {
    return {
      status: answered.statusCode ?? 0,
      headers: flatHeaders(answered),
      body: await boundedBody(answered, sent),
    };
  } finally {
    answered.destroy();
  }
}

function answerOf(sent: Exchange): Promise<IncomingMessage> {
  const { url, address } = sent;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const tls = url.protocol === "https:";
  const options = {
    host: address,
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method: sent.method,
    headers: { ...sent.headers, host: url.host },
    signal: sent.signal,
    maxHeaderSize: 16_384,
  };
  const request = tls
    ? requestTls({
        ...options,
        agent: tlsAgent,
        // Said here, so that no NODE_TLS_REJECT_UNAUTHORIZED of the environment says otherwise.
        rejectUnauthorized: true,
        ...(isIP(host) ? {} : { servername: host }),
        ...(sent.ca === undefined ? {} : { ca: sent.ca }),
      })
    : requestPlain({ ...options, agent: plainAgent });
  const established = { now: false };
  const connecting = setTimeout(
    () => request.destroy(new OutboundError("unreachable", `${address} does not answer`)),
    sent.connectTimeoutMs,
  );
  request.on("socket", (socket) =>
    socket.once(tls ? "secureConnect" : "connect", () => {
      established.now = true;
      clearTimeout(connecting);
    }),
  );
  request.on("response", resolve);
  request.on("error", (cause) => reject(failure(cause, sent, established.now)));
  request.on("close", () => {
    clearTimeout(connecting);
    reject(failure(new Error("closed without an answer"), sent, established.now));
  });
  request.end(sent.body);
  return promise;
}

/** Stops reading at the bound, whatever Content-Length says or leaves out. */
async function boundedBody(answered: IncomingMessage, sent: Exchange): Promise<Uint8Array> {
  const encoding = answered.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new OutboundError("encoded", "the answer is compressed, which was not asked for");
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answered) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > sent.maxBytes)
        throw new OutboundError("too_large", `the answer has more than ${sent.maxBytes} bytes`);
      chunks.push(bytes);
    }
  } catch (cause) {
    throw failure(cause, sent, true);
  }
  return Buffer.concat(chunks, length);
}

function failure(cause: unknown, { signal, url }: Exchange, established: boolean): OutboundError {
  if (cause instanceof OutboundError) return cause;
  if (signal.aborted) return new OutboundError("timeout", `${url.host} took too long`, { cause });
  return established
    ? new OutboundError("protocol", `${url.host} broke off or did not speak HTTP`, { cause })
    : new OutboundError("unreachable", `no trusted connection to ${url.host}`, { cause });
}

function flatHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}
