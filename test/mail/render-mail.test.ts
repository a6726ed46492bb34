import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { locales } from "../../src/lib/locale.ts";
import {
  type MailData,
  type MailTemplate,
  renderMail,
  type RenderedMail,
} from "../../src/mail/templates/render-mail.ts";
import type { MailContext } from "../../src/mail/templates/template.ts";

const link = "https://id.example/verify-email?token=chal_1_secret&interaction=abc";
const context: MailContext = { locale: "en", tenantName: "Northwind" };

/** A code belongs into the page that asked for it, and a deleted account has no page any more. */
const withoutLink = ["email_code", "account_deleted"];

describe("mails", () => {
  for (const locale of locales) {
    for (const [template, mail] of Object.entries(everyMail("Ada", { ...context, locale }))) {
      it(`${template} (${locale}) ${withoutLink.includes(template) ? "has no link" : "carries the link in both forms, and in the HTML also as text"}`, () => {
        expect(mail.html).toStartWith(`<!doctype html><html lang="${locale}">`);
        if (withoutLink.includes(template)) {
          expect(mail.html + mail.text).not.toMatch(/https?:|href/);
          return;
        }
        const escaped = link.replace("&", "&amp;");
        expect(mail.text).toContain(`\n${link}\n`);
        expect(mail.html).toContain(`href="${escaped}"`);
        expect(mail.html).toContain(`>${escaped}</a>`);
      });

      it(`${template} (${locale}) says the same in both forms`, () => {
        const html = words(decoded(mail.html.replace(/<title>.*?<\/title>/, "").replace(/<[^>]*>/g, " ")));
        expect([...words(mail.text)].filter((word) => word !== "--" && !html.has(word))).toEqual([]);
      });

      it(`${template} (${locale}) names the tenant and greets the person`, () => {
        expect(mail.subject).toContain("Northwind");
        expect(mail.text).toMatch(/^(Hello|Guten Tag) Ada,\n/);
      });
    }
  }

  it("tell how long a link works, never longer than it does", () => {
    expect(textFor(3600)).toContain("for one hour.");
    expect(textFor(86_400)).toContain("for 24 hours.");
    expect(textFor(5400)).toContain("for 90 minutes.");
    expect(textFor(3659)).toContain("for one hour.");
    expect(textFor(119)).toContain("for one minute.");
  });

  it("tell when, where and with what somebody signed in", () => {
    const at = new Date("2025-01-02T03:04:05Z");
    const data = { link, at, ipAddress: "2001:db8::1", device: "Firefox on Linux" };
    const { text } = renderMail("new_sign_in", data, context);
    expect(text).toContain("Device: Firefox on Linux\nIP address: 2001:db8::1");
    expect(text).toMatch(/Time: January 2, 2025 at 3:04\sAM UTC/);
    expect(renderMail("new_sign_in", { link, at }, context).text).not.toContain("Device");
  });
});

describe("mails with hostile values", () => {
  const hostile = fc
    .array(
      fc.constantFrom(
        "<script>x</script>",
        '"><img src=x>',
        "</title>",
        "\r\nBcc: a@b.example",
        "\0",
        "\u2028",
        "&",
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => parts.join("x"));

  it("have one line as subject and no markup but ours", () => {
    const expected = skeleton(everyMail(undefined, context));
    fc.assert(
      fc.property(hostile, (text) => {
        const mails = everyMail(text, { locale: "en", tenantName: text }, text);
        for (const { subject } of Object.values(mails)) expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(skeleton(mails)).toEqual(expected);
      }),
    );
  });

  it("keep subjects short", () => {
    const { subject } = renderMail("welcome", { link }, { locale: "en", tenantName: "𝔸".repeat(500) });
    expect([...subject].length).toBeLessThanOrEqual(150);
  });

  for (const name of [
    "Claim your prize at http://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "visit evil.example now",
    "www.evil",
    "evil．example",
    "evil。example",
    "ｅｖｉｌ．ｃｏｍ",
    "evil\u200d.com",
    "10.0.0.1",
    "mail me@evil.example",
    "javascript:/x",
    "Ada\r\nDear customer",
    "Ada\u202egnp",
    "Ada\u200bLovelace",
    "A".repeat(65),
    "   ",
    "\u200d",
  ]) {
    it(`greet without the name ${JSON.stringify(name.slice(0, 40))}`, () => {
      const { text, html } = renderMail("verify_email", { name, link, expiresInSeconds: 60 }, context);
      expect(text).toStartWith("Hello,\n");
      expect(html).toContain(">Hello,</p>");
    });
  }

  for (const name of [
    "Ada Lovelace",
    "J. R. Smith",
    "O'Brien",
    "李小龍",
    "Nuñez-Çelik",
    "می‌خواهم",
    "Dr. Who",
    "X Æ A-12",
  ]) {
    it(`greet ${name} by name`, () => {
      expect(renderMail("welcome", { name, link }, context).text).toStartWith(`Hello ${name},\n`);
    });
  }
});

function everyMail(
  name: string | undefined,
  to: MailContext,
  device = "Firefox",
): Record<MailTemplate, RenderedMail> {
  const person = { name, link };
  const token = { ...person, expiresInSeconds: 3600 };
  const data: MailData = {
    verify_email: token,
    reset_password: token,
    welcome: person,
    new_sign_in: { ...person, at: new Date(0), ipAddress: "192.0.2.1", device },
    already_registered: person,
    unlock_account: token,
    password_changed: person,
    email_change_requested: { ...token, newAddress: device },
    confirm_new_email: token,
    email_changed: { ...person, newAddress: device },
    account_deletion_requested: { ...person, dueAt: new Date(0) },
    account_deleted: { name },
    data_export_ready: person,
    factor_added: { ...person, method: "totp", factorName: device },
    factor_removed: { ...person, method: "webauthn", factorName: device },
    magic_link: token,
    email_code: { name, code: "123456", expiresInSeconds: 600 },
    impersonated: { ...person, at: new Date(0), minutes: 15, reason: device },
    webhook_disabled: { ...person, host: device },
    dormant_accounts: { ...person, inactiveDays: 90, dormant: 3, neverSignedIn: 2, administrators: 1 },
  };
  return {
    verify_email: renderMail("verify_email", data.verify_email, to),
    reset_password: renderMail("reset_password", data.reset_password, to),
    welcome: renderMail("welcome", data.welcome, to),
    new_sign_in: renderMail("new_sign_in", data.new_sign_in, to),
    already_registered: renderMail("already_registered", data.already_registered, to),
    unlock_account: renderMail("unlock_account", data.unlock_account, to),
    password_changed: renderMail("password_changed", data.password_changed, to),
    email_change_requested: renderMail("email_change_requested", data.email_change_requested, to),
    confirm_new_email: renderMail("confirm_new_email", data.confirm_new_email, to),
    email_changed: renderMail("email_changed", data.email_changed, to),
    account_deletion_requested: renderMail("account_deletion_requested", data.account_deletion_requested, to),
    account_deleted: renderMail("account_deleted", data.account_deleted, to),
    data_export_ready: renderMail("data_export_ready", data.data_export_ready, to),
    factor_added: renderMail("factor_added", data.factor_added, to),
    factor_removed: renderMail("factor_removed", data.factor_removed, to),
    magic_link: renderMail("magic_link", data.magic_link, to),
    email_code: renderMail("email_code", data.email_code, to),
    impersonated: renderMail("impersonated", data.impersonated, to),
    webhook_disabled: renderMail("webhook_disabled", data.webhook_disabled, to),
    dormant_accounts: renderMail("dormant_accounts", data.dormant_accounts, to),
  };
}

function decoded(html: string): string {
  return html.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

function words(text: string): Set<string> {
  return new Set(text.split(/[\s:]+/));
}

function textFor(expiresInSeconds: number): string {
  return renderMail("reset_password", { link, expiresInSeconds }, context).text;
}

/** The tags of each mail, in order. */
function skeleton(mails: Record<string, RenderedMail>): (string[] | null)[] {
  return Object.values(mails).map(({ html }) => html.match(/<\/?[a-z!][^\s>]*/g));
}
