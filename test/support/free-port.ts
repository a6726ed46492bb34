/** A port nobody listens on now. Somebody may take it before the caller does; in tests on loopback nobody wants it. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "localhost", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
