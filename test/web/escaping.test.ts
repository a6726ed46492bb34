import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { elementsOf, everyPage } from "./every-page.ts";

/** Text made of what breaks out of elements, attributes, comments, titles and scripts. */
const hostileText = fc
  .array(
    fc.constantFrom(
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      '" autofocus onfocus="alert(1)',
      "' onclick='alert(1)",
      "</title><svg onload=alert(1)>",
      "</script>",
      "--><b>",
      "]]>",
      "&lt;i&gt;",
      "&quot;",
      "javascript:alert(1)",
      "\n",
      "\u202e",
      "`",
      "{{7*7}}",
      "${7*7}",
      "é",
    ),
    { minLength: 1, maxLength: 6 },
  )
  // A letter in front keeps the text from being empty or a page's own word, which would change the page rightly.
  .map((parts) => `x${parts.join("")}`);

describe("escaping of the hosted pages", () => {
  it("lets no text from outside add an element or an attribute to any page", () => {
    const expected = skeletons("x");
    fc.assert(
      fc.property(hostileText, (text) => expect(skeletons(text)).toEqual(expected)),
      { numRuns: 60 },
    );
  });

  it("lets no client or tenant put an address into a page that is not of the web", () => {
    for (const url of [
      "javascript:alert(1)",
      " JavaScript:alert(1)",
      "java\tscript:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "//evil.example",
      "file:///etc/passwd",
    ]) {
      for (const html of Object.values(everyPage("plain", "en", url))) {
        const addresses = elementsOf(html).flatMap(({ tag, attributes }) =>
          tag === "a" || tag === "img" ? [attributes.href ?? "", attributes.src ?? ""] : [],
        );
        const foreign = addresses.filter((address) => !/^$|^[/#](?!\/)/.test(address) && !isOwn(address));
        expect(foreign).toEqual([]);
      }
    }
  });

  it("shows a logo and links that are of the web", () => {
    const { consent } = everyPage("plain", "en", "https://cdn.example/a?b=1&c=2");
    expect(consent).toContain('<img class="logo" src="https://cdn.example/a?b=1&amp;c=2"');
    expect(consent).toContain(
      'href="https://cdn.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer"',
    );
  });
});

/** Of each page: its elements and the names of their attributes, in order. */
function skeletons(text: string): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(everyPage(text)).map(([name, html]) => [
      name,
      elementsOf(html).map(({ tag, attributes }) => [tag, ...Object.keys(attributes)].join(" ")),
    ]),
  );
}

/** What our pages hold themselves: the picture of a QR code, the address in it, the file of backup codes. */
function isOwn(address: string): boolean {
  const own = [
    "data:image/svg+xml,%3Csvg%3E",
    "otpauth://totp/",
    "data:text/plain;charset=utf-8,Backup%20codes",
  ];
  return own.some((beginning) => address.startsWith(beginning));
}
