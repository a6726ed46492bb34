/**
 * The one script of the hosted pages. Passkeys cannot do without one; all else on the pages works when it does not run. It
 * is served as a file of its own, so that the pages' policy need not admit scripts within them.
 *
 * A form with `data-passkey` (`get` or `create`) is sent with what the authenticator answered, in its field `credential`.
 * What the authenticator is asked comes from the path in `data-options`, for the same fields.
 */

const passkeyForms = [...document.querySelectorAll<HTMLFormElement>("form[data-passkey]")];

/** WebAuthn Level 3 §5.1: without its JSON methods a browser is too old for passkeys of ours. */
const supported =
  typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

/** What an open page asks the authenticator for works for five minutes: it is asked for anew before that. */
const AUTOFILL_MILLISECONDS = 4 * 60 * 1000;

/** The request behind the autofill: browsers allow one request at a time. */
let autofill: AbortController | undefined;

for (const form of passkeyForms) {
  const container = form.closest<HTMLElement>("[data-passkey-area]") ?? form;
  container.hidden = !supported;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void press(form);
  });
  if (supported && form.hasAttribute("data-autofill")) void offerAutofill(form);
}
for (const note of document.querySelectorAll<HTMLElement>("[data-no-passkeys]")) note.hidden = supported;

for (const button of document.querySelectorAll<HTMLElement>("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-wait]")) countDown(button);

/** Asks the authenticator because somebody pressed the form's button. */
async function press(form: HTMLFormElement): Promise<void> {
  tell(form, undefined);
  autofill?.abort();
  form.setAttribute("aria-busy", "true");
  try {
    const options = await optionsFor(form);
    send(form, form.dataset["passkey"] === "create" ? await create(options) : await get(options, {}));
  } catch (error) {
    const known = error instanceof DOMException && error.name === "InvalidStateError";
    tell(form, known ? form.dataset["known"] : form.dataset["failed"]);
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/** Lets the browser offer passkeys in the field for the name (WebAuthn Level 3 §5.1.4, conditional mediation). */
async function offerAutofill(form: HTMLFormElement): Promise<void> {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable())) return;
  for (;;) {
    const controller = new AbortController();
    autofill = controller;
    const timer = setTimeout(() => controller.abort("renewed"), AUTOFILL_MILLISECONDS);
    try {
      const options = await optionsFor(form);
      const credential = await get(options, { mediation: "conditional", signal: controller.signal });
      if (credential) return send(form, credential);
    } catch {
      // Whoever did not take what was offered goes on in another way.
      if (controller.signal.reason !== "renewed") return;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function get(options: unknown, request: CredentialRequestOptions): Promise<Credential | null> {
  const json = options as PublicKeyCredentialRequestOptionsJSON;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return navigator.credentials.get({ ...request, publicKey });
}

async function create(options: unknown): Promise<Credential | null> {
  const json = options as PublicKeyCredentialCreationOptionsJSON;
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) });
}

async function optionsFor(form: HTMLFormElement): Promise<unknown> {
  const response = await fetch(form.dataset["options"] ?? "", {
    method: "POST",
    headers: { accept: "application/json" },
    body: fieldsOf(form),
  });
  if (!response.ok) throw new Error(`the options were refused (${response.status})`);
  return response.json();
}

function fieldsOf(form: HTMLFormElement): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
  return fields;
}

/** Sends the form; `submit` asks no handler of ours again. */
function send(form: HTMLFormElement, credential: Credential | null): void {
  if (!(credential instanceof PublicKeyCredential)) return;
  fill(form, "credential", JSON.stringify(credential.toJSON()));
  const remember = document.querySelector<HTMLInputElement>("#remember_me");
  if (remember?.checked) fill(form, "remember_me", "true");
  form.submit();
}

function fill(form: HTMLFormElement, name: string, value: string): void {
  const input = form.elements.namedItem(name);
  if (input instanceof HTMLInputElement) input.value = value;
}

/** Says what went wrong, where screen readers read it out. */
function tell(form: HTMLFormElement, text: string | undefined): void {
  const status = form.querySelector<HTMLElement>("[data-status]");
  if (!status) return;
  status.textContent = text ?? "";
  status.hidden = text === undefined;
}

/** A button that may be pressed in `data-wait` seconds. Without this script it may be pressed at once, and is told to wait. */
function countDown(button: HTMLButtonElement): void {
  const label = button.textContent;
  let seconds = Number(button.dataset["wait"]);
  const show = () => {
    button.disabled = seconds > 0;
    button.textContent = seconds > 0 ? `${label} (${seconds})` : label;
  };
  show();
  const timer = setInterval(() => {
    seconds -= 1;
    show();
    if (seconds <= 0) clearInterval(timer);
  }, 1000);
}
