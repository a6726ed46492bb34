/** An export's file, as it lies in the storage: sealed. */
import type { Deps } from "../../deps.ts";
import { openFrames, sealFrames } from "../../storage/sealed.ts";
import { openStorage } from "../../storage/storage.ts";
import type { UserExport } from "./repo.ts";

type Named = Pick<UserExport, "tenantId" | "id">;

const keyOf = ({ tenantId, id }: Named) => `user-exports/${tenantId}/${id}`;
const contextOf = ({ id }: Named) => `user-export/${id}`;

/** @returns how many bytes it has, before they are sealed */
export async function writeFile(deps: Deps, of: Named, chunks: AsyncIterable<string>): Promise<number> {
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      const data = Buffer.from(chunk);
      bytes += data.length;
      yield data;
    }
  }
  const sealed = sealFrames(deps.secrets.userExports[0].key, contextOf(of), counted());
  await openStorage(deps.config).write(keyOf(of), sealed);
  return bytes;
}

/** @returns undefined when it is not there any more */
export async function readFile(deps: Deps, of: Named): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const sealed = await openStorage(deps.config).read(keyOf(of));
  return sealed && openFrames(deps.secrets.userExports, contextOf(of), sealed);
}

export const removeFile = (deps: Deps, of: Named): Promise<void> =>
  openStorage(deps.config).remove(keyOf(of));
