/** Hosts of the internet that publish client metadata documents: real HTTPS, under a name with a certificate for it. */
import { createOutbound, type Outbound } from "../../src/outbound/client.ts";
import { CERTIFICATE, type TestHost, tlsHost } from "../outbound/support.ts";

export interface Publication {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as it is when it is a text. */
  body?: unknown;
}

export interface DocumentHost {
  /** `https://keys.example.test:<port>`: also on other.example.test, which the certificate names too. */
  readonly origin: string;
  /** Reaches the host by its names, and nothing else. */
  readonly outbound: Outbound;
  /** How often a path was asked for. */
  visits(path: string): number;
  publish(path: string, publication: Publication): void;
  stop(): Promise<void>;
}

export async function startDocumentHost(): Promise<DocumentHost> {
  const published = new Map<string, Publication>();
  const asked: string[] = [];
  const host: TestHost = await tlsHost((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const { status = 200, headers = {}, body = "" } = published.get(path) ?? { status: 404 };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  return {
    origin: `https://keys.example.test:${host.port}`,
    outbound: createOutbound({
      ca: CERTIFICATE,
      allowPrivate: ["keys.example.test", "other.example.test"],
      resolve: async (name) => (name.endsWith(".example.test") ? ["127.0.0.1"] : []),
    }),
    visits: (path) => asked.filter((one) => one === path).length,
    publish: (path, publication) => published.set(path, publication),
    stop: () => host.stop(),
  };
}
