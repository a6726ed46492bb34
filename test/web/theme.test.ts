import { afterAll, beforeAll, describe, expect, it } from "bun:test";
import fc from "fast-check";
import { contrast, readableOn, textOn, themeStylesheet, themeStylesheetPath } from "../../src/web/theme.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const color = fc
  .integer({ min: 0, max: 0xff_ff_ff })
  .map((value) => `#${value.toString(16).padStart(6, "0")}`);

describe("a tenant's colours", () => {
  it("are readable, whatever they are: text on them, and links of them (WCAG 2.2 §1.4.3)", () => {
    fc.assert(
      fc.property(color, fc.constantFrom("#ffffff", "#1a202a"), (chosen, card) => {
        expect(contrast(textOn(chosen), chosen)).toBeGreaterThanOrEqual(4.5);
        expect(contrast(readableOn(card, chosen), card)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it("stay what they are where they are readable", () => {
    expect(readableOn("#ffffff", "#1f4e79")).toBe("#1f4e79");
    expect(readableOn("#ffffff", "#ffff00")).not.toBe("#ffff00");
  });

  it("are measured as WCAG measures them", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.478, 2);
  });

  it("have a style sheet whose path says them, and no other path is one", () => {
    const path = themeStylesheetPath({
      name: "default",
      primaryColor: "#AA3300",
      backgroundColor: undefined,
    });
    expect(path).toBe("/assets/theme-aa3300-none.css");
    expect(themeStylesheet(path ?? "")).toContain("--pico-primary-background: #aa3300");
    for (const other of [
      "theme-aa3300.css",
      "theme-aa33-none.css",
      "theme-aa3300-none.css.css",
      "theme-zz3300-none.css",
    ])
      expect(themeStylesheet(`/assets/${other}`)).toBeUndefined();
    expect(
      themeStylesheetPath({ name: "dark", primaryColor: undefined, backgroundColor: undefined }),
    ).toBeUndefined();
  });
});

describe("the hosted pages", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  const page = async () => (await fetch(`${server.url}/signin`)).text();

  it("wear the tenant's theme and colours", async () => {
    expect(await page()).toContain('class="theme-default"');
    await server.configure({ login_theme: "dark", primary_color: "#AA3300", background_color: "#102030" });
    const html = await page();
    expect(html).toContain('data-theme="dark"');
    const [, path = ""] = /href="(\/assets\/theme-[^"]+)"/.exec(html) ?? [];
    expect(path).toBe("/assets/theme-aa3300-102030.css");
    const sheet = await fetch(server.url + path);
    expect(sheet.headers.get("content-type")).toStartWith("text/css");
    expect(sheet.headers.get("cache-control")).toContain("immutable");
    expect(await sheet.text()).toContain("#102030");
    expect((await fetch(`${server.url}/assets/theme-nothing.css`)).status).toBe(404);
  });

  it("say above and in the sign-in page what the tenant has to say, as text", async () => {
    await server.configure({
      login_page_title: "Hello <you>",
      login_page_message: "Use your <b>staff</b> name.",
    });
    const html = await page();
    expect(html).toContain("<h1>Hello &lt;you></h1>");
    expect(html).toContain("Use your &lt;b>staff&lt;/b> name.");
  });
});
