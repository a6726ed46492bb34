const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\/|\bOpera\b/, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChrom(?:e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/**
 * A User-Agent in words that its owner recognises: "Firefox on Linux". Names that we know and nothing else: the header
 * is whatever the person signing in made it, and it goes into a mail to somebody who trusts us.
 * @returns undefined when it tells nothing.
 */
export function describeDevice(userAgent: string | null): string | undefined {
  const { browser, system } = deviceOf(userAgent);
  return browser && system ? `${browser} on ${system}` : (browser ?? system);
}

/** The same by its parts, for whoever has words of their own between them. */
export function deviceOf(userAgent: string | null): {
  browser: string | undefined;
  system: string | undefined;
} {
  const text = userAgent ?? "";
  return { browser: firstMatch(BROWSERS, text), system: firstMatch(SYSTEMS, text) };
}

function firstMatch(names: typeof BROWSERS, text: string): string | undefined {
  return names.find(([pattern]) => pattern.test(text))?.[1];
}
