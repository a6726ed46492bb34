/** Servers on the loopback interface that stand for hosts of the internet, and for what must not be reached. */
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from "node:net";

/** For keys.example.test, other.example.test and 127.0.0.1; signed by itself, so it is its own authority. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBxzCCAW2gAwIBAgIUX6DzCOlq5yVWU7Hwb9GzlkiwQZ4wCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQR2F0ZXdyaWdodCB0ZXN0czAgFw0yNjExMjIwNTM0MzBaGA8y
MTI2MTAyOTA1MzQzMFowGzEZMBcGA1UEAwwQR2F0ZXdyaWdodCB0ZXN0czBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABMUOPRjOHchBg6s8Jorr427wDvyV8jOMpe2W
klbN7r0C3Ih71xzd8XWdGtTTphP9wTKMnFsu8JoiD3VA19V8M16jgYwwgYkwHQYD
VR0OBBYEFJnMPpgqPIcnPpAH7WKnZSQo/qHAMB8GA1UdIwQYMBaAFJnMPpgqPIcn
PpAH7WKnZSQo/qHAMA8GA1UdEwEB/wQFMAMBAf8wNgYDVR0RBC8wLYIRa2V5cy5l
eGFtcGxlLnRlc3SCEm90aGVyLmV4YW1wbGUudGVzdIcEfwAAATAKBggqhkjOPQQD
AgNIADBFAiEA7T3EAkz9dxJyIdIxr5/z2G5OU2W6Qi5RhUPpHbMi9bYCIFqyfHA7
2pXiCebxqBFwc4UityYOrsAY2Ju1C0fYA7OK
-----END CERTIFICATE-----
`;

const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh1SGHLSU/HhSA5H/
gnNHWQFqOZsJpBtXIl8esrbM2v+hRANCAATFDj0Yzh3IQYOrPCaK6+Nu8A78lfIz
jKXtlpJWze69AtyIe9cc3fF1nRrU06YT/cEyjJxbLvCaIg91QNfVfDNe
-----END PRIVATE KEY-----
`;

export interface TestHost {
  readonly port: number;
  /** How often it was asked, or connected to. */
  readonly visits: () => number;
  stop(): Promise<void>;
}

export function tlsHost(answer: RequestListener, address = "127.0.0.1"): Promise<TestHost> {
  const visits = { count: 0 };
  const server = createTls({ cert: CERTIFICATE, key: PRIVATE_KEY }, (request, response) => {
    visits.count++;
    answer(request, response);
  });
  return listening(server, address, visits);
}

export function plainHost(answer: RequestListener, address = "127.0.0.1"): Promise<TestHost> {
  const visits = { count: 0 };
  const server = createPlain((request, response) => {
    visits.count++;
    answer(request, response);
  });
  return listening(server, address, visits);
}

/** Says to whoever connects what a server of HTTP never would. */
export function rawHost(speak: (socket: Socket) => void): Promise<TestHost> {
  const visits = { count: 0 };
  const server = createTcp((socket) => {
    visits.count++;
    socket.on("error", () => {});
    speak(socket);
  });
  return listening(server, "127.0.0.1", visits);
}

async function listening(server: Server, address: string, visits: { count: number }): Promise<TestHost> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    visits: () => visits.count,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
