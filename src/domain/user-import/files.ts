/** The file of an import, as it lies in the storage: sealed, and only until it is worked through. */
import type { Deps } from "../../deps.ts";
import { deriveKey } from "../../lib/crypto.ts";
import { type MasterKey, MasterKeyError } from "../../lib/master-keys.ts";
import { openFrames, sealFrames } from "../../storage/sealed.ts";
import { openStorage } from "../../storage/storage.ts";
import type { UserImport } from "./repo.ts";

type Named = Pick<UserImport, "tenantId" | "id" | "masterKeyId">;

const keyOf = ({ tenantId, id }: Named) => `user-imports/${tenantId}/${id}`;
const contextOf = ({ id }: Named) => `user-import/${id}`;

function sealingKey(deps: Deps, { masterKeyId }: Named): MasterKey {
  const master = deps.config.masterKeys.find(({ id }) => id === masterKeyId);
  if (!master)
    throw new MasterKeyError(`sealed under master key "${masterKeyId}", which is not there any more`);
  return { id: master.id, key: deriveKey(master.key, "user-imports") };
}

export async function writeFile(deps: Deps, of: Named, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const sealed = sealFrames(sealingKey(deps, of).key, contextOf(of), chunks);
  await openStorage(deps.config).write(keyOf(of), sealed);
}

/** @returns undefined when it is not there any more */
export async function readFile(deps: Deps, of: Named): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const sealed = await openStorage(deps.config).read(keyOf(of));
  return sealed && openFrames([sealingKey(deps, of)], contextOf(of), sealed);
}

export const removeFile = (deps: Deps, of: Named): Promise<void> =>
  openStorage(deps.config).remove(keyOf(of));
