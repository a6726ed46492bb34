/** What the pages on which people let applications in say of them. */
import { describe, expect, it } from "bun:test";
import { type ConsentProps, renderConsent } from "../../src/web/pages/consent.tsx";
import { renderDeviceCode, renderDeviceDecision } from "../../src/web/pages/device.tsx";
import { renderSelectAccount } from "../../src/web/pages/select-account.tsx";
import type { PageShell } from "../../src/web/shell.ts";
import { elementsOf } from "./every-page.ts";

const client = { name: "Orders" };
const shell: PageShell = { locale: "en", basePath: "", tenant: { name: "Acme" }, client };
const form = { action: "/action", csrf: "token" };
const vouched = { vouchedFor: true, host: null, destination: "app.example.com", onlyLocal: false };

const consent = (changes: Partial<ConsentProps> = {}) =>
  renderConsent(shell, {
    form,
    client,
    identity: vouched,
    user: "ada@example.com",
    scopes: [{ name: "openid" }, { name: "orders:read" }, { name: "x", description: "Read your mail" }],
    resources: [],
    ...changes,
  });

const buttons = (html: string) =>
  elementsOf(html).flatMap(({ tag, attributes }) => (tag === "button" ? [attributes["value"]] : []));

describe("the consent page", () => {
  it("says in words what is asked for, also where only the scope's name is known", () => {
    for (const text of ["Confirm who you are", "<code>orders:read</code>", "Read your mail"])
      expect(consent()).toContain(text);
  });

  it("names the resources, where there are any", () => {
    expect(consent()).not.toContain("This access is for:");
    const page = consent({ resources: ["https://orders.example.com/api"] });
    expect(page).toContain("<code>https://orders.example.com/api</code>");
  });

  it("always says where the answer goes", () => {
    expect(consent()).toContain("app.example.com");
    const identity = { ...vouched, destination: "com.example.app:" };
    expect(consent({ identity })).toContain("com.example.app:");
  });

  it("warns of an application that nobody vouches for, and of none that an administrator made known", () => {
    expect(consent()).not.toContain("nobody here has checked");
    const identity = { ...vouched, vouchedFor: false };
    expect(consent({ identity })).toContain("nobody here has checked it");
    expect(consent({ identity })).not.toContain("It runs on your own device");
  });

  it("names the host that proves itself by the client_id", () => {
    const page = consent({ identity: { ...vouched, vouchedFor: false, host: "apps.example.org" } });
    expect(page).toContain("This application comes from <strong><bdi>apps.example.org</bdi></strong>");
  });

  it("warns of other programs where the answer stays on the device", () => {
    const page = consent({ identity: { ...vouched, vouchedFor: false, onlyLocal: true } });
    expect(page).toContain("another program could pretend to be it");
  });

  it("has two buttons, of which only one allows", () => {
    expect(buttons(consent())).toEqual(["allow", "deny"]);
  });
});

describe("the device pages", () => {
  const decision = renderDeviceDecision(shell, {
    form,
    client,
    identity: vouched,
    user: "ada@example.com",
    userCode: "BCDF-GHJK",
    scopes: [{ name: "openid" }],
    resources: [],
    place: { address: "192.0.2.1", device: undefined, sameNetwork: false },
    accountUrl: "/account",
  });

  it("have a field that takes letters as they come, in the keyboard's focus", () => {
    const html = renderDeviceCode(shell, { form, userCode: "BCDF-GHJK" });
    const field = elementsOf(html).find(({ attributes }) => attributes["id"] === "user_code")?.attributes;
    expect(field).toMatchObject({ value: "BCDF-GHJK", autocomplete: "off", autocapitalize: "characters" });
    expect(field).toHaveProperty("autofocus");
  });

  it("show the code, the place and a warning before anything is allowed", () => {
    for (const text of ["BCDF-GHJK", "192.0.2.1", "If somebody sent you the code or the link, deny it"])
      expect(decision).toContain(text);
    expect(decision).not.toContain("the network you are in now");
    expect(buttons(decision)).toEqual(["allow", "deny"]);
  });

  it("say whom the device would be let in for", () => {
    expect(decision).toContain("ada@example.com");
  });
});

describe("the account page of prompt=select_account", () => {
  it("offers the account of the session and the way to another", () => {
    const html = renderSelectAccount(shell, {
      form,
      user: "ada@example.com",
      otherAccountUrl: "/signin?x=1",
    });
    expect(html).toContain("ada@example.com");
    expect(elementsOf(html).some(({ attributes }) => attributes["href"] === "/signin?x=1")).toBe(true);
  });
});
