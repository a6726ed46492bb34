import { describe, expect, it } from "bun:test";
import { locales } from "../../src/lib/locale.ts";
import { assets, script } from "../../src/web/assets.ts";
import { renderCheckYourMail } from "../../src/web/pages/check-your-mail.tsx";
import { renderMailbox } from "../../src/web/pages/mailbox.tsx";
import { renderSignIn } from "../../src/web/pages/sign-in.tsx";
import { renderSignUp } from "../../src/web/pages/sign-up.tsx";
import type { PageShell } from "../../src/web/shell.ts";
import { type Element, elementsOf, everyPage, nonce } from "./every-page.ts";

const shell: PageShell = { locale: "en", basePath: "", tenant: { name: "Northwind" } };
const form = { action: "/sign-in", csrf: "token" };

for (const locale of locales) {
  for (const [name, html] of Object.entries(everyPage("plain", locale))) {
    describe(`hosted page ${name} (${locale})`, () => {
      const elements = elementsOf(html);
      const all = (tag: string) => elements.filter((element) => element.tag === tag);
      const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);

      it("is a document with a language, a title and one heading", () => {
        expect(html).toStartWith("<!doctype html><html");
        expect(all("html")[0]?.attributes.lang).toBe(locale);
        expect(html).toMatch(/<title>[^<]+ – plain<\/title>/);
        expect(all("h1")).toHaveLength(1);
        expect(all("main")).toHaveLength(1);
      });

      it("has no two elements of one id, and no reference to an id that is not there", () => {
        expect(ids).toEqual([...new Set(ids)]);
        const references = elements.flatMap(({ attributes }) => [
          ...(attributes["aria-describedby"] ?? "").split(" "),
          ...(attributes["aria-labelledby"] ?? "").split(" "),
          attributes.for ?? "",
          attributes.href?.startsWith("#") ? attributes.href.slice(1) : "",
        ]);
        expect(references.filter((id) => id !== "" && !ids.includes(id))).toEqual([]);
      });

      it("labels every input that people see, and fills in no password", () => {
        const labelled = all("label").map(({ attributes }) => attributes.for);
        const seen = all("input").filter(({ attributes }) => attributes.type !== "hidden");
        expect(seen.filter(({ attributes }) => !labelled.includes(attributes.id))).toEqual([]);
        const passwords = seen.filter(({ attributes }) => attributes.type === "password");
        expect(passwords.filter(({ attributes }) => "value" in attributes)).toEqual([]);
      });

      it("works under the policy: no inline styles or handlers, no script but that of form_post", () => {
        const attributes = elements.flatMap((element) => Object.keys(element.attributes));
        expect(attributes.filter((attribute) => /^(?:style$|on)/.test(attribute))).toEqual([]);
        expect(all("style")).toEqual([]);
        const ours = { type: "module", src: `/base${script.path}` };
        const scripts = all("script").map((element) => element.attributes);
        if (name === "formPost") expect(scripts).toEqual([{ nonce }]);
        else expect(scripts).toEqual(scripts.length === 0 ? [] : [ours]);
        expect(html).not.toMatch(/<script[^>]*src[^>]*>[^<]/);
      });

      it("protects every form of ours by the token", () => {
        const hidden = all("input").filter(({ attributes }) => attributes.name === "csrf");
        expect(hidden).toHaveLength(name === "formPost" ? 0 : all("form").length);
        expect(all("form").map(({ attributes }) => attributes.method)).not.toContain("get");
      });

      it("refers to no file that is not served", () => {
        const files = all("link").map(({ attributes }) => attributes.href?.replace("/base", "") ?? "");
        expect(files).toHaveLength(2);
        expect(files.filter((path) => !assets.has(path))).toEqual([]);
      });
    });
  }
}

describe("sign-in page", () => {
  it("keeps what was typed and tells password managers which field is which", () => {
    const inputs = inputsOf(renderSignIn(shell, { form, identifier: "ada@example.com" }));
    expect(inputs.identifier).toMatchObject({ autocomplete: "username", value: "ada@example.com" });
    expect(inputs.password).toMatchObject({ autocomplete: "current-password", type: "password" });
  });

  it("announces a problem", () => {
    const html = renderSignIn(shell, { form, problem: "too_many_attempts" });
    expect(html).toMatch(/role="alert"><p>Too many attempts/);
    expect(renderSignIn(shell, { form })).not.toContain('role="alert"');
  });

  it("carries the authorization request along, and only where there is one", () => {
    const inputs = inputsOf(renderSignIn(shell, { form: { ...form, interaction: "sealed" } }));
    expect(inputs.interaction).toMatchObject({ type: "hidden", value: "sealed" });
    expect(inputsOf(renderSignIn(shell, { form })).interaction).toBeUndefined();
  });

  it("offers what the tenant allows, and nothing else", () => {
    const html = renderSignIn(shell, { form });
    expect(html).not.toContain("remember_me");
    expect(html).not.toContain("<a ");
  });

  it("says where the person is on the way to", () => {
    const html = renderSignIn({ ...shell, client: { name: "Ledger" } }, { form });
    expect(html).toContain("to continue to <strong><bdi>Ledger</bdi></strong>");
  });
});

describe("sign-up page", () => {
  const html = renderSignUp(shell, {
    form,
    username: "required",
    signInUrl: "/sign-in",
    values: { email: "ada@" },
    fieldErrors: [{ field: "email", message: "must be an email address" }],
  });

  it("ties an error to its field and lists it in the summary", () => {
    const { email, username } = inputsOf(html);
    expect(email).toMatchObject({ "aria-invalid": "true", "aria-describedby": "email-error", value: "ada@" });
    expect(username).not.toHaveProperty("aria-invalid");
    expect(html).toContain('<a href="#email">Email address: must be an email address</a>');
  });

  it("asks for a username as the tenant wants it", () => {
    expect(usernameOf("hidden")).toBeUndefined();
    expect(usernameOf("optional")).not.toHaveProperty("required");
    expect(usernameOf("required")).toHaveProperty("required");
  });

  it("says the password's rules beforehand", () => {
    const rules = { minLength: 12, classes: ["digit", "symbol"] as const };
    const page = renderSignUp(shell, { form, username: "hidden", signInUrl: "/", passwordRules: rules });
    expect(page).toContain("At least 12 characters, with a digit and a symbol.");
    expect(inputsOf(page).password).toMatchObject({ "aria-describedby": "password-hint" });
  });
});

describe("check-your-mail page", () => {
  it("does not say whether a forgotten password's address has an account", () => {
    const html = renderCheckYourMail(shell, { kind: "reset", email: "ada@example.com", signInUrl: "/" });
    expect(html).toContain("If there is an account for <strong><bdi>ada@example.com</bdi></strong>");
  });
});

describe("development mailbox page", () => {
  const message = { id: "1", to: "a@example.com", subject: "Hello", createdAt: new Date(0) };
  const pageWith = (text: string, html = "") =>
    renderMailbox(shell, {
      messages: [{ ...message, url: "/dev/mailbox?id=1" }],
      selected: { ...message, text, html },
    });

  it("makes links of the text's addresses, without the full stop that ends the sentence", () => {
    const url = "http://localhost:3000/verify-email?token=a_b-c&amp;x=1";
    expect(
      pageWith("Open http://localhost:3000/verify-email?token=a_b-c&x=1. (https://a.example/b)"),
    ).toContain(
      `Open <a href="${url}" rel="noreferrer">${url}</a>. (<a href="https://a.example/b" rel="noreferrer">`,
    );
    expect(pageWith("javascript:alert(1)")).not.toContain('href="javascript:');
  });

  it("shows the mail's HTML in a frame that runs no script and has its own policy", () => {
    const frame = elementsOf(pageWith("", '<p class="x">hi</p>')).find(({ tag }) => tag === "iframe");
    expect(frame?.attributes.sandbox).not.toContain("allow-scripts");
    expect(frame?.attributes.sandbox).not.toContain("allow-same-origin");
    expect(frame?.attributes.srcdoc).toMatch(
      /^&lt;!doctype html>&lt;meta http-equiv=&quot;Content-Security-Policy/,
    );
  });

  it("marks the message that is open", () => {
    expect(pageWith("")).toContain('aria-current="true"');
    const closed = renderMailbox(shell, { messages: [{ ...message, url: "/" }] });
    expect(closed).not.toContain("aria-current");
  });
});

function inputsOf(html: string): Record<string, Element["attributes"]> {
  const inputs = elementsOf(html).filter(({ tag }) => tag === "input");
  return Object.fromEntries(inputs.map(({ attributes }) => [attributes.name ?? "", attributes]));
}

function usernameOf(username: "hidden" | "optional" | "required"): Element["attributes"] | undefined {
  return inputsOf(renderSignUp(shell, { form, username, signInUrl: "/" })).username;
}
