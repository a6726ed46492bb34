/** What people send and get when they look after their own account. */
import { t } from "elysia";
import type { EmailChange } from "../../domain/accounts/email-change.ts";
import type { ExportStatus } from "../../domain/data-exports/service.ts";
import { maskPhone, type Phone } from "../../domain/phones/service.ts";
import { EMAIL_FORMAT } from "../../http/formats.ts";
import { Email, NewPassword } from "./models.ts";

const Moment = t.String({ format: "date-time" });
const member = (maxLength: number, description: string) => t.Nullable(t.String({ maxLength, description }));

const profile = {
  given_name: member(128, "First name"),
  family_name: member(128, "Last name"),
  picture: member(2048, "The https URL of a picture"),
  locale: member(35, "A language tag (BCP 47), such as de-AT"),
  zoneinfo: member(64, "A time zone, such as Europe/Berlin"),
};

/** PUT: what is left out is taken away. */
export const ProfileRequest = t.Partial(t.Object(profile));

export const ChangePasswordRequest = t.Object({
  current_password: t.Optional(
    t.String({
      minLength: 1,
      maxLength: 1024,
      description: "May be left out by who has just signed in, or stepped up",
    }),
  ),
  new_password: NewPassword,
  end_other_sessions: t.Optional(t.Boolean({ default: true, description: "Unless told: yes" })),
});

export const ChangeEmailRequest = t.Object({ email: Email });

export const EmailChangeResponse = t.Object({
  new_email: t.String({ format: EMAIL_FORMAT }),
  approved: t.Boolean({ description: "Whether the old address has approved, or none has to" }),
  confirmed: t.Boolean({ description: "Whether the new address has confirmed" }),
  expires_at: Moment,
});

export const emailChangeResponse = (change: EmailChange): typeof EmailChangeResponse.static => ({
  new_email: change.newAddress,
  approved: change.approvedAt !== null,
  confirmed: change.confirmedAt !== null,
  expires_at: change.expiresAt.toISOString(),
});

export const DeletionResponse = t.Object({ message: t.String(), deleted_at: Moment });

export const ExportResponse = t.Object({
  id: t.String({ examples: ["export_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
  status: t.Union([t.Literal("pending"), t.Literal("ready"), t.Literal("expired")]),
  created_at: Moment,
  expires_at: Moment,
});

export const exportResponse = (one: ExportStatus): typeof ExportResponse.static => ({
  id: one.id,
  status: one.status,
  created_at: one.createdAt.toISOString(),
  expires_at: one.expiresAt.toISOString(),
});

export const PhoneRequest = t.Object({
  number: t.String({ minLength: 4, maxLength: 40, examples: ["+49 30 123456"] }),
});

export const CodeRequest = t.Object({ code: t.String({ minLength: 6, maxLength: 16 }) });

export const PhoneResponse = t.Object({
  id: t.String({ examples: ["phone_01JD2M9V7QX5T8Z4C6B3N0K1HF"] }),
  number: t.String({ description: "E.164; of one that is not verified, some digits are left out" }),
  verified: t.Boolean(),
  primary: t.Boolean(),
  created_at: Moment,
});

export const phoneResponse = (phone: Phone): typeof PhoneResponse.static => ({
  id: phone.id,
  number: phone.verifiedAt ? phone.number : maskPhone(phone.number),
  verified: phone.verifiedAt !== null,
  primary: phone.isPrimary,
  created_at: phone.createdAt.toISOString(),
});

/** A proof token, as its holder sends it back. */
const ProofToken = t.String({ minLength: 1, maxLength: 512, description: "`proof_…`, as it was answered" });

export const SendCodeRequest = t.Object({ email: Email });
export const SendSmsRequest = t.Object({ phone: t.String({ minLength: 4, maxLength: 40 }) });
export const VerifyCodeRequest = t.Object({
  proof_token: ProofToken,
  code: t.String({ minLength: 1, maxLength: 16 }),
  device_token: t.Optional(t.String({ minLength: 1, maxLength: 512 })),
});
export const CompleteLinkRequest = t.Object({
  proof_token: ProofToken,
  device_token: t.Optional(t.String({ minLength: 1, maxLength: 512 })),
});

export const ProofResponse = t.Object({
  message: t.String(),
  proof_token: t.String({ description: "Needed to go on, together with what was sent" }),
  expires_in: t.Integer({ description: "Seconds" }),
});

export const MagicLinkResponse = t.Composite([
  ProofResponse,
  t.Object({
    check_number: t.String({ description: "Two digits that the page behind the link shows, too" }),
  }),
]);
