import type { FirstAdministrator } from "../bootstrap.ts";
import type { Config } from "../config.ts";

/** Names and values to print once; none when there was an administrator before. */
export function administratorLines(administrator: FirstAdministrator | undefined): [string, string][] {
  if (!administrator) return [];
  const lines: [string, string][] = [["Administrator", administrator.adminEmail]];
  if (administrator.oneTimePassword) {
    lines.push(["One-time password", `${administrator.oneTimePassword}   (shown this once)`]);
  }
  return lines;
}

/** What an operator needs to go on, printed when everything is ready. */
export function summary(config: Config, administrator: FirstAdministrator | undefined): string {
  const { publicUrl } = config;
  const places: [string, string][] = [
    ["Sign in", `${publicUrl}/account`],
    ["API reference", `${publicUrl}/docs`],
    ["Discovery", `${publicUrl}/.well-known/openid-configuration`],
    ["Health", `${publicUrl}/healthz`],
  ];
  if (config.mail.driver === "mailbox") places.splice(2, 0, ["Caught mail", `${publicUrl}/dev/mailbox`]);
  places.push(...administratorLines(administrator));
  const width = Math.max(...places.map(([name]) => name.length));
  const lines = places.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return ["", `Gatewright is ready at ${publicUrl}`, "", ...lines, "", "Ctrl-C stops it.", ""].join("\n");
}
