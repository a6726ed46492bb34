/** The options that say what a client is, made from the one table that says what a client can be. */
import type { ArgsDef } from "citty";
import { administrativeMembers, type Member, registrationMembers } from "../domain/clients/service.ts";
import { fail, valuesOf } from "./support.ts";

/** Members that have an option of another name, or a flag of their own below. */
const OPTION_NAMES: Readonly<Record<string, string>> = {
  client_name: "name",
  redirect_uris: "redirect-uri",
  post_logout_redirect_uris: "post-logout-redirect-uri",
  grant_types: "grant",
  scope: "scope",
  contacts: "contact",
  resources: "resource",
  default_acr_values: "default-acr-value",
  token_exchange_modes: "token-exchange-mode",
};

const { response_types: _responseTypes, ...described } = registrationMembers;
const members: Record<string, Member> = { ...described, ...administrativeMembers };

const optionOf = (name: string) => OPTION_NAMES[name] ?? name.replaceAll("_", "-");
const isList = (name: string, { kind }: Member) => name === "scope" || kind === "texts" || kind === "choices";

/** For `clients create` and `clients update`. */
export const clientOptions: ArgsDef = {
  ...Object.fromEntries(
    Object.entries(members).map(([name, member]): [string, ArgsDef[string]] => {
      const description = describe(name, member);
      if (member.kind === "flag") return [optionOf(name), { type: "boolean", description }];
      const valueHint = member.kind === "jwks" ? "file" : isList(name, member) ? "value..." : "value";
      return [optionOf(name), { type: "string", valueHint, description }];
    }),
  ),
  public: {
    type: "boolean",
    description: "an application that can keep no secret (browser, mobile): authenticates by `none`",
  },
  native: {
    type: "boolean",
    description: "runs on the user's machine: loopback ports and private-use schemes",
  },
};

function describe(name: string, member: Member): string {
  const values = "values" in member ? `: ${member.values.join(", ")}` : "";
  const repeated = isList(name, member) ? "; may be repeated" : "";
  const file = member.kind === "jwks" ? "; a JSON file" : "";
  return `${member.description.charAt(0).toLowerCase()}${member.description.slice(1)}${values}${repeated}${file}`;
}

/**
 * What the options say of a client, under the names of the administrators' API.
 * @throws CliError for an option whose value cannot be read
 */
export async function readClientOptions(
  args: Readonly<Record<string, unknown>>,
  rawArgs: readonly string[],
): Promise<Record<string, unknown>> {
  const description: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(members)) {
    const option = optionOf(name);
    const given = args[option];
    if (given === undefined) continue;
    const field = { client_name: "name", scope: "scopes" }[name] ?? name;
    if (isList(name, member)) description[field] = valuesOf(rawArgs, option);
    else if (member.kind === "integer") description[field] = Number(given);
    else if (member.kind === "jwks") description[field] = await readJson(String(given), option);
    else description[field] = given;
  }
  if (args["public"]) description["token_endpoint_auth_method"] = "none";
  if (args["native"]) description["application_type"] = "native";
  return description;
}

/** @throws CliError */
export async function readJson(path: string, option: string): Promise<unknown> {
  try {
    return await Bun.file(path).json();
  } catch {
    return fail(`--${option} must name a file that holds JSON`);
  }
}
