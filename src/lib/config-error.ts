/** A configuration that cannot be run with. Each problem is one line that names the variable and how to mend it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}
