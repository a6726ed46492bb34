/** The schemas of SAML 2.0, asked about whole messages. A message that they know nothing of is refused. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Deps } from "../../deps.ts";
import { SamlError } from "../../protocol/saml/errors.ts";

/** Each takes a thread and some memory for a moment: not more at once, whatever arrives. */
const MOST_AT_ONCE = 4;
let running = 0;
const waiting: (() => void)[] = [];

/**
 * Only for messages whose signature holds: it is a hundred times the work of a signature.
 * @throws SamlError for a message that is none, by the schema
 */
export async function requireSchema(deps: Pick<Deps, "log">, document: string): Promise<void> {
  if (running >= MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    const problems = await problemsOf(document);
    if (problems === 0) return;
    deps.log.info({ problems }, "a SAML message is not as its schema says");
    throw new SamlError("schema", "not as the schema says");
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** How many; what they are quotes the message, which the log must not hold. */
async function problemsOf(document: string): Promise<number> {
  // With the first message, and not before: servers without SAML have no use for it.
  const { validateXML } = await import("xmllint-wasm");
  const [protocol, ...others] = await schemas();
  if (!protocol) throw new Error("the schemas are gone");
  const { valid, errors } = await validateXML({
    xml: [{ fileName: "message.xml", contents: document }],
    extension: "schema",
    schema: [protocol.contents],
    preload: others,
  });
  return valid ? 0 : Math.max(1, errors.length);
}

/** The first is where a message begins, and asks for the others. */
const FILES = [
  "saml-schema-protocol-2.0.xsd",
  "saml-schema-assertion-2.0.xsd",
  "xmldsig-core-schema.xsd",
  "xenc-schema.xsd",
  "datatypes.dtd",
  "XMLSchema.dtd",
];

interface SchemaFile {
  readonly fileName: string;
  readonly contents: string;
}

let read: Promise<SchemaFile[]> | undefined;

/**
 * The files that the package brings. Its own function is not used: it writes what it finds wrong to the console, with
 * pieces of the message.
 */
function schemas(): Promise<SchemaFile[]> {
  read ??= Promise.all(
    FILES.map(async (fileName) => {
      const main = fileURLToPath(import.meta.resolve("@authenio/samlify-xmllint-wasm"));
      return { fileName, contents: await readFile(join(dirname(main), "schemas", fileName), "utf8") };
    }),
  );
  return read;
}
