/** What is measured, and what it is sent. */

/** One HTTP request, as the generator sends it over and over. */
export interface Call {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A server under load. */
export interface Contender {
  readonly name: string;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Every process of the server whose time and memory count; not the database's. */
  readonly pids: readonly number[];
  /** The cases that are one request, by name. */
  readonly calls: Readonly<Record<string, Call>>;
  /** The cases that are one of many requests each time, by name. */
  readonly spread?: Readonly<Record<string, readonly Call[]>>;
  /** A signed-in browser asks for a code, and `CODE` in the body of the exchange stands for it. */
  readonly code?: { readonly authorize: Call; readonly exchange: Call };
  /** Cookies of further sign-ins, so that as many people refresh their tokens as there are connections. */
  readonly otherSignIns?: readonly string[];
  /** `TOKEN` in its body stands for the refresh token, which each answer replaces. */
  readonly refresh?: Call;
  /** Milliseconds of processor time that its database has used so far. */
  databaseCpuMs?(): number | undefined;
  /** The same with tokens that were issued just now: those of the start may have expired, or have been forgotten. */
  renew?(): Promise<Contender>;
  stop(): Promise<void>;
}

/** What a server's process prints as one line of JSON when it is ready. */
export interface Announcement {
  readonly url: string;
  readonly pid: number;
  readonly requests: Readonly<Record<string, Call>>;
  readonly code?: Contender["code"];
  readonly refresh?: Call;
}

/**
 * Sends a call once.
 * @throws Error when the answer is an error
 */
export async function send(url: string, call: Call): Promise<Response> {
  const { method, headers, body } = call;
  const response = await fetch(url + call.path, { method, headers, body: body ?? null, redirect: "manual" });
  if (response.status >= 400) throw new Error(`${call.path}: ${response.status} ${await response.text()}`);
  return response;
}

/**
 * Goes through the code flow once.
 * @param cookie whose: undefined for who is signed in already
 * @throws Error when no refresh token comes of it
 */
export async function refreshTokenOf(
  { name, url, code }: Pick<Contender, "name" | "url" | "code">,
  cookie?: string,
): Promise<string> {
  if (!code) throw new Error(`${name} has no code flow`);
  const { authorize, exchange } = code;
  const headers = { ...authorize.headers, ...(cookie === undefined ? {} : { cookie }) };
  const answer = await send(url, { ...authorize, headers });
  // As it stands in the address: it goes on in a form, which is written the same way.
  const issued = /[?&]code=([^&]+)/.exec(answer.headers.get("location") ?? "")?.[1];
  if (!issued) throw new Error(`${name} answered no code`);
  const response = await send(url, { ...exchange, body: exchange.body?.replace("CODE", () => issued) ?? "" });
  const tokens: { refresh_token?: string } = await response.json();
  if (!tokens.refresh_token) throw new Error(`${name} answered no refresh token`);
  return tokens.refresh_token;
}
