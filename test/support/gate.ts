/** A database that goes away when a test says so, and comes back. */
import { connect, createServer, type Server, type Socket } from "node:net";

/** The way to the database, which can be closed: as if nothing listened there, or as a proxy does whose server is away. */
export async function openGate(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let away: ((socket: Socket) => void) | undefined;
  let refused = 0;
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    sockets.add(socket);
    if (away) {
      refused++;
      return away(socket);
    }
    const there = connect(Number(target.port || 5432), target.hostname);
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    /** How often somebody tried to connect while it was closed. */
    refused: () => refused,
    /** @param how what whoever connects is met with from now on */
    close(how: (socket: Socket) => void) {
      away = how;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    open() {
      away = undefined;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
