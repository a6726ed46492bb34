import { join } from "node:path";

/**
 * The directory of package.json, below which everything is that this program reads of its own. It is right in this file
 * and in the bundle (`src/cli/bundling.ts`), whose directory lies as deep; so no other file may look for its neighbours.
 */
export const projectRoot = join(import.meta.dir, "..", "..");
