/** How text messages leave, as the environment says it. */
export type SmsConfig =
  | { readonly driver: "mailbox" }
  | {
      readonly driver: "twilio";
      readonly from: string;
      readonly accountSid: string;
      readonly authToken: string;
      readonly baseUrl: string;
    }
  /** No text message leaves: whoever could only be reached by one is offered other ways. */
  | { readonly driver: "off" };

interface SmsEnvironment {
  readonly NODE_ENV: string;
  readonly MAIL_DRIVER: string;
  readonly SMS_DRIVER?: "mailbox" | "twilio" | "off";
  readonly SMS_FROM?: string;
  readonly TWILIO_ACCOUNT_SID?: string;
  readonly TWILIO_AUTH_TOKEN?: string;
  readonly TWILIO_BASE_URL: string;
}

/** Unless told: as mail goes, so that a developer sees both and a production sends none that nobody asked for. */
export function smsConfig(values: SmsEnvironment, problems: string[]): SmsConfig {
  const caught = values.NODE_ENV !== "production" && values.MAIL_DRIVER === "mailbox";
  const driver = values.SMS_DRIVER ?? (caught ? "mailbox" : "off");
  if (driver !== "twilio") return { driver };
  const { SMS_FROM: from, TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = values;
  if (!from || !accountSid || !authToken) {
    problems.push("SMS_FROM, TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are needed (SMS_DRIVER is twilio)");
    return { driver: "off" };
  }
  return { driver, from, accountSid, authToken, baseUrl: values.TWILIO_BASE_URL };
}
