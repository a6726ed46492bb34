import { describe, expect, it } from "bun:test";
import { passwordStrength } from "../../../src/domain/passwords/strength.ts";

describe("a password's strength", () => {
  it.each([
    ["P@ssw0rd1", 1],
    ["Qwertyuiop1!", 2],
  ])("of %j is at most %i, for all its classes of characters", async (password, most) => {
    expect(await passwordStrength(password, [])).toBeLessThanOrEqual(most);
  });

  it.each(["correct horse battery staple", "q8#Lz!vP2@xW"])("of %j is the highest", async (password) => {
    expect(await passwordStrength(password, [])).toBe(4);
  });

  it("is less for who knows the person", async () => {
    const about = ["zephyrine.quillfeather@example.com"];
    const stranger = await passwordStrength("Quillfeather-Zephyrine", []);
    expect(await passwordStrength("Quillfeather-Zephyrine", about)).toBeLessThan(stranger);
  });

  it("takes no time to speak of for the longest ones", async () => {
    await passwordStrength("loads the dictionaries", []);
    const begun = performance.now();
    await passwordStrength("aA1!".repeat(32), ["a".repeat(254)]);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it("loads its dictionaries only when it is asked for", async () => {
    const script = `await import("${import.meta.dir}/../../../src/domain/passwords/service.ts");
      console.log(Object.keys(require.cache).filter((path) => path.includes("zxcvbn")).length);`;
    const run = Bun.spawnSync([process.execPath, "-e", script]);
    expect(run.stdout.toString().trim()).toBe("0");
  });
});
