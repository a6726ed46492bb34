/** @jsxImportSource preact */
/** A form that our script sends with what an authenticator answered; browsers that cannot see a note in its place. */
import type { ComponentChildren, JSX } from "preact";
import type { Messages } from "../messages/en.ts";
import type { FormTarget } from "../shell.ts";
import { PostForm } from "./form.tsx";

export interface PasskeyFormProps {
  /** Whether a passkey is made or used. */
  ceremony: "create" | "get";
  form: FormTarget;
  /** Where the script asks what the authenticator is to be asked; takes the form's fields. */
  optionsUrl: string;
  /** Whether the browser may offer passkeys in a field with `autocomplete="… webauthn"`. */
  autofill?: boolean;
  hidden?: Readonly<Record<string, string>>;
  submit: string;
  secondary?: boolean;
  /** Whether a browser without passkeys is told so: on pages that offer nothing else. */
  explainMissing?: boolean;
  t: Messages;
  /** Fields above the button. */
  children?: ComponentChildren;
}

/** Fields posted: `csrf`, `interaction`, `credential` (JSON of WebAuthn Level 3 §5.1), and those of `children`. */
export function PasskeyForm(props: PasskeyFormProps): JSX.Element {
  const { ceremony, form, optionsUrl, t } = props;
  return (
    <>
      <div data-passkey-area hidden>
        <PostForm
          {...form}
          hidden={{ ...props.hidden, credential: "" }}
          data={{
            "data-passkey": ceremony,
            "data-options": optionsUrl,
            "data-failed": ceremony === "create" ? t.passkeys.notCreated : t.passkeys.failed,
            "data-known": t.passkeys.known,
            ...(props.autofill ? { "data-autofill": true } : {}),
          }}
        >
          {props.children}
          <p class="alert" role="alert" data-status hidden />
          <button type="submit" class={props.secondary ? "secondary" : undefined}>
            {props.submit}
          </button>
        </PostForm>
      </div>
      {props.explainMissing ? (
        <p class="notice" data-no-passkeys>
          {t.passkeys.noScript}
        </p>
      ) : null}
    </>
  );
}
