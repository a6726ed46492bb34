/** A report's files, as they lie in the storage: sealed, one for each format. */
import { Buffer } from "node:buffer";
import type { Deps } from "../../deps.ts";
import { openFrames, sealFrames } from "../../storage/sealed.ts";
import { openStorage } from "../../storage/storage.ts";
import type { Format } from "./model.ts";
import { formats } from "./model.ts";
import type { Report } from "./repo.ts";

type Named = Pick<Report, "tenantId" | "id">;

const keyOf = ({ tenantId, id }: Named, format: Format) => `reports/${tenantId}/${id}.${format}`;
const contextOf = ({ id }: Named, format: Format) => `report/${id}/${format}`;

/** @returns how many bytes it has, before they are sealed */
export async function writeFile(
  deps: Deps,
  report: Named,
  format: Format,
  chunks: AsyncIterable<string | Uint8Array>,
): Promise<number> {
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      const data = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      bytes += data.length;
      yield data;
    }
  }
  const sealed = sealFrames(deps.secrets.reports[0].key, contextOf(report, format), counted());
  await openStorage(deps.config).write(keyOf(report, format), sealed);
  return bytes;
}

/** @returns undefined when it is not there any more */
export async function readFile(
  deps: Deps,
  report: Named,
  format: Format,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const sealed = await openStorage(deps.config).read(keyOf(report, format));
  return sealed && openFrames(deps.secrets.reports, contextOf(report, format), sealed);
}

export async function removeFiles(deps: Deps, report: Named): Promise<void> {
  const storage = openStorage(deps.config);
  for (const format of formats) await storage.remove(keyOf(report, format));
}
