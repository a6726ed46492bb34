/** @jsxImportSource preact */
/** The parts of which all forms are made. */
import type { ComponentChildren, JSX } from "preact";
import type { FieldError } from "../../lib/errors.ts";
import type { FormTarget } from "../shell.ts";

export interface PostFormProps extends FormTarget {
  /** More hidden fields, such as a token. */
  hidden?: Readonly<Record<string, string>>;
  /** For our script, `data-…`. */
  data?: Readonly<Record<`data-${string}`, string | true>>;
  children: ComponentChildren;
}

export function PostForm(props: PostFormProps): JSX.Element {
  const { action, csrf, interaction, hidden = {}, data, children } = props;
  return (
    <form method="post" action={action} {...data}>
      <input type="hidden" name="csrf" value={csrf} />
      {interaction === undefined ? null : <input type="hidden" name="interaction" value={interaction} />}
      {Object.entries(hidden).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      {children}
    </form>
  );
}

export interface FieldProps {
  /** Also the element's id. */
  name: string;
  label: string;
  type: "text" | "email" | "password";
  /** The token of the HTML Standard (§4.10.18.7) by which password managers know the field. */
  autocomplete: string;
  value?: string | undefined;
  /** Set for a field that may stay empty, as the word that says so. */
  optional?: string | undefined;
  hint?: string | undefined;
  error?: string | undefined;
  autofocus?: boolean;
  /** False for a field that the browser lets through empty although nothing says that it may be. */
  required?: boolean;
  /** `none` for what is no word, so that phones do not begin it with a capital. */
  autocapitalize?: "none";
  /** For codes of digits, so that phones show the keys for them. */
  inputmode?: "numeric";
}

/** A labelled input; its error and hint are tied to it by `aria-describedby`. */
export function Field(props: FieldProps): JSX.Element {
  const { name, hint, error, optional } = props;
  const hintId = hint === undefined ? undefined : `${name}-hint`;
  const errorId = error === undefined ? undefined : `${name}-error`;
  return (
    <div class="field">
      <label for={name}>
        {props.label}
        {optional === undefined ? null : <span class="optional"> ({optional})</span>}
      </label>
      <Input {...props} describedBy={[errorId, hintId].filter((id) => id !== undefined).join(" ")} />
      {error === undefined ? null : (
        <small id={errorId} class="field-error">
          {error}
        </small>
      )}
      {hint === undefined ? null : <small id={hintId}>{hint}</small>}
    </div>
  );
}

function Input({ describedBy, ...props }: FieldProps & { describedBy: string }): JSX.Element {
  const { name, autocomplete, autofocus } = props;
  const attributes = {
    id: name,
    name,
    autocomplete,
    autofocus,
    required: props.required ?? props.optional === undefined,
    spellcheck: false,
    "aria-invalid": props.error === undefined ? undefined : ("true" as const),
    "aria-describedby": describedBy || undefined,
  };
  switch (props.type) {
    case "password":
      // Never filled in: a page with a password in it may be stored or logged somewhere on its way.
      return <input type="password" {...attributes} />;
    case "email":
      return <input type="email" value={props.value} {...attributes} />;
    case "text":
      return (
        <input
          type="text"
          value={props.value}
          autocapitalize={props.autocapitalize}
          inputmode={props.inputmode}
          {...attributes}
        />
      );
  }
}

export interface ErrorSummaryProps {
  message: string;
  /** Problems of single fields, each a link to its input; `labels` says which fields the form has. */
  fieldErrors?: readonly FieldError[];
  labels?: Readonly<Record<string, string>>;
}

/** Read out by screen readers as soon as the page is there. */
export function ErrorSummary({ message, fieldErrors = [], labels = {} }: ErrorSummaryProps): JSX.Element {
  return (
    <div class="alert" role="alert">
      <p>{message}</p>
      {fieldErrors.length === 0 ? null : (
        <ul>
          {fieldErrors.map(({ field, message: problem }) => (
            <li>
              {Object.hasOwn(labels, field) ? (
                <a href={`#${field}`}>
                  {labels[field]}: {problem}
                </a>
              ) : (
                problem
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Good news; announced without interrupting. */
export function Notice({ children }: { children: ComponentChildren }): JSX.Element {
  return (
    <p class="notice" role="status">
      {children}
    </p>
  );
}
