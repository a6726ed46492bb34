import { expect } from "bun:test";
import { postJson, type TestServer } from "../../support/server.ts";

export const goodPassword = "SecureP@ssw0rd!";

let made = 0;

export interface Person {
  username: string;
  email: string;
  password: string;
}

/** Names that nobody has taken yet. */
export function newPerson(): Person {
  const name = `jane.${process.pid}.${++made}`;
  return { username: name, email: `${name}@example.com`, password: goodPassword };
}

export async function registerPerson(
  server: TestServer,
  extra: Record<string, string> = {},
): Promise<Person> {
  const person = newPerson();
  const response = await postJson(`${server.url}/register`, { ...person, ...extra });
  expect(response.status).toBe(201);
  return person;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
}

export async function signIn(
  server: TestServer,
  { email, password }: Pick<Person, "email" | "password">,
): Promise<Tokens & { user: Record<string, unknown> }> {
  const response = await postJson(`${server.url}/login`, { identifier: email, password });
  expect(response.status).toBe(200);
  return response.json();
}

export function me(server: TestServer, accessToken: string): Promise<Response> {
  return fetch(`${server.url}/me`, { headers: { authorization: `Bearer ${accessToken}` } });
}

export const refresh = (server: TestServer, token: string) =>
  postJson(`${server.url}/token/refresh`, { refresh_token: token });

/** Checks that an answer is the documented envelope, and gives its code and the rest. */
export async function errorOf(response: Response): Promise<{
  status: number;
  error: string;
  description: string;
  details: { field: string; message: string }[];
}> {
  const body = await response.json();
  expect(response.headers.get("content-type")).toStartWith("application/json");
  expect(body.request_id).toBe(response.headers.get("x-request-id"));
  expect(Object.keys(body).filter((key) => key !== "details")).toEqual([
    "error",
    "error_description",
    "request_id",
  ]);
  return {
    status: response.status,
    error: body.error,
    description: body.error_description,
    details: body.details ?? [],
  };
}

/** The claims of a token, unverified: that is the business of other tests. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}
