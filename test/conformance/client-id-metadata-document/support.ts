import { type Client, findClient } from "../../../src/domain/clients/service.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { type DocumentHost, startDocumentHost } from "../../support/client-documents.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser } from "../support.ts";

export const REDIRECT_URI = "http://127.0.0.1:7777/callback";
export const MCP_SERVER = "https://mcp.example/mcp";

type Members = Record<string, unknown>;

/** A server whose tenant takes clients that describe themselves, and the host where they do. */
export interface Setting {
  readonly host: DocumentHost;
  readonly server: TestServer;
  readonly user: User;
  /** A new client_id with its document. */
  publish(changes?: Members, headers?: Record<string, string>): string;
  republish(clientId: string, changes?: Members, headers?: Record<string, string>): void;
  findClient(clientId: string): Promise<Client | undefined>;
  /** How often the document was fetched. */
  visitsOf(clientId: string): number;
  stop(): Promise<void>;
}

export async function startSetting(): Promise<Setting> {
  const host = await startDocumentHost();
  const server = await startTestServer({ outbound: host.outbound });
  await server.configure({
    client_id_metadata_documents: true,
    self_registered_scopes: ["openid", "email", "files:read"],
    self_registered_resources: [MCP_SERVER],
  });
  let documents = 0;
  const republish: Setting["republish"] = (clientId, changes = {}, headers = {}) => {
    const body = { client_id: clientId, client_name: "MCP", redirect_uris: [REDIRECT_URI], ...changes };
    host.publish(new URL(clientId).pathname, { body, headers });
  };
  return {
    host,
    server,
    user: await addUser(server, "ada"),
    publish(changes, headers) {
      const clientId = `${host.origin}/client-${++documents}.json`;
      republish(clientId, changes, headers);
      return clientId;
    },
    republish,
    findClient: (clientId) => findClient(server.deps, server.tenant.id, clientId),
    visitsOf: (clientId) => host.visits(new URL(clientId).pathname),
    async stop() {
      await server.stop();
      await host.stop();
    },
  };
}
