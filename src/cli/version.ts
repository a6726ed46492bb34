import { defineCommand } from "citty";
import manifest from "../../package.json" with { type: "json" };

export default defineCommand({
  meta: { description: "Prints the versions of Gatewright and of Bun" },
  run: () => console.log(`gatewright ${manifest.version} (bun ${Bun.version})`),
});
