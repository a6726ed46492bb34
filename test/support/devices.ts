/** The person's half of a device's sign-in (RFC 8628 §3.3), on the pages as they are. */
import type { HttpBrowser } from "./browser.ts";

/** Enters the code, and allows or denies what the device asked for. @returns the page's status at the end */
export async function answerDevice(
  browser: HttpBrowser,
  verificationUri: string,
  decision: "allow" | "deny" = "allow",
): Promise<number> {
  const { pathname } = new URL(verificationUri);
  const asked = await browser.open(verificationUri);
  const shown = await browser.submit(asked, pathname);
  return (await browser.submit(shown, `${pathname}/decision`, { decision })).status;
}
