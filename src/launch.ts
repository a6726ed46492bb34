/** What the wrapper runs: the services from their bundle where there is one, everything else from its sources. */
import { findBundle } from "./cli/bundling.ts";

const SERVICES = ["start", "api", "worker"];

const bundle = SERVICES.includes(process.argv[2] ?? "") ? findBundle() : undefined;
await import(bundle ?? "./cli.ts");
