/** Debian's OpenLDAP (`apt-get install slapd`), with a database and ports of its own. */
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { scratchDirectory, until } from "../scratch.ts";
import type { FakeEntry } from "./fake.ts";

const BINARY = "/usr/sbin/slapd";
const SCHEMAS = "/etc/ldap/schema";

/** Whether this machine has it; the tests' stand-in has to do where it has not. */
export const hasSlapd = await Bun.file(BINARY).exists();

export interface Slapd {
  readonly ldapUrl: string;
  readonly ldapsUrl: string;
  stop(): Promise<void>;
}

/** @param entries below `suffix`, which is made; of the first with this name and password everything may be read */
export async function startSlapd(
  suffix: string,
  reader: { dn: string; password: string },
  entries: readonly FakeEntry[],
): Promise<Slapd> {
  const scratch = scratchDirectory();
  const at = (name: string) => join(scratch.path, name);
  const [plain, secure] = [freePort(), freePort()];
  await mkdir(at("db"));
  for (const file of ["certificate.pem", "private-key.pem"])
    await Bun.write(at(file), Bun.file(join(import.meta.dir, file)));
  await Bun.write(at("slapd.conf"), configuration(scratch.path, suffix, reader));
  await Bun.write(at("data.ldif"), entries.map(ldif).join("\n"));
  const loading = Bun.spawn(["/usr/sbin/slapadd", "-q", "-f", at("slapd.conf"), "-l", at("data.ldif")], {
    stderr: "pipe",
  });
  if ((await loading.exited) !== 0) throw new Error(await new Response(loading.stderr).text());
  const urls = { ldapUrl: `ldap://127.0.0.1:${plain}`, ldapsUrl: `ldaps://127.0.0.1:${secure}` };
  // With a level of debugging, even of none, it stays in the foreground, a child of ours.
  const running = Bun.spawn(
    [BINARY, "-f", at("slapd.conf"), "-h", `${urls.ldapUrl} ${urls.ldapsUrl}`, "-d", "0"],
    { stdout: "ignore", stderr: "ignore" },
  );
  await until("slapd", () => answers(plain));
  return {
    ...urls,
    async stop() {
      running.kill("SIGTERM");
      await running.exited;
      scratch[Symbol.dispose]();
    },
  };
}

function configuration(directory: string, suffix: string, reader: { dn: string; password: string }): string {
  return [
    ...["core", "cosine", "inetorgperson"].map((name) => `include ${SCHEMAS}/${name}.schema`),
    "modulepath /usr/lib/ldap",
    "moduleload back_mdb",
    `TLSCertificateFile ${directory}/certificate.pem`,
    `TLSCertificateKeyFile ${directory}/private-key.pem`,
    "database mdb",
    "maxsize 16777216",
    `suffix "${suffix}"`,
    `rootdn "${reader.dn}"`,
    `rootpw ${reader.password}`,
    `directory ${directory}/db`,
    "",
  ].join("\n");
}

function ldif({ dn, password, attributes }: FakeEntry): string {
  const line = (name: string, value: string | Buffer) => `${name}:: ${Buffer.from(value).toString("base64")}`;
  return [
    line("dn", dn),
    ...Object.entries(attributes).flatMap(([name, values]) => values.map((value) => line(name, value))),
    ...(password === undefined ? [] : [line("userPassword", password)]),
    "",
  ].join("\n");
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
