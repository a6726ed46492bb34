import type { Deps } from "../../../deps.ts";
import { importForeignKeys } from "../../../protocol/jose/foreign-keys.ts";
import type { Oauth2Connection, OidcConnection } from "../model.ts";
import { answers, failed, fetchDocument, type Finding, ok, UNREACHABLE, warning } from "./findings.ts";

type Document = Readonly<Record<string, unknown>>;

/** Discovery, whose issuer it names, its endpoints and its keys (OpenID Connect Discovery §4.3). */
export async function probeOpenid(deps: Deps, { config }: OidcConnection): Promise<Finding[]> {
  const findings: Finding[] = [];
  let metadata: Document = {};
  if (config.discovery) {
    const url = `${config.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const found = readJson(await fetchDocument(deps, url, "application/json"));
    if (!found) return [failed("discovery", UNREACHABLE)];
    metadata = found;
    findings.push(ok("discovery", "Its metadata was read."), ...aboutMetadata(config, found));
  }
  for (const name of ["authorization_endpoint", "token_endpoint"] as const) {
    const known = typeof (config[name] ?? metadata[name]) === "string";
    findings.push(known ? ok(name, "It is known.") : failed(name, "Nothing says where it is."));
  }
  const jwksUri = config.jwks_uri ?? metadata["jwks_uri"];
  findings.push(await aboutKeys(deps, config, jwksUri));
  return findings;
}

function aboutMetadata(config: OidcConnection["config"], metadata: Document): Finding[] {
  const { issuer, issuer_template: template } = config;
  const expected = template ?? issuer;
  const same = metadata["issuer"] === expected;
  const findings = [
    same
      ? ok("issuer", "Its metadata names the issuer of this connection.")
      : failed("issuer", "Its metadata names another issuer: nobody could sign in."),
  ];
  const lists = (name: string, value: string) => {
    const said: unknown = metadata[name];
    return !Array.isArray(said) || said.includes(value);
  };
  if (!lists("token_endpoint_auth_methods_supported", config.token_endpoint_auth_method))
    findings.push(
      warning("token_endpoint_auth_method", `It does not list ${config.token_endpoint_auth_method}.`),
    );
  const pkce = metadata["code_challenge_methods_supported"];
  if (config.pkce && Array.isArray(pkce) && !pkce.includes("S256"))
    findings.push(warning("pkce", "It does not list S256 among its code_challenge_methods_supported."));
  const algorithm = config.id_token_signed_response_alg ?? "RS256";
  if (!lists("id_token_signing_alg_values_supported", algorithm))
    findings.push(failed("id_token_signed_response_alg", `It does not sign ID tokens by ${algorithm}.`));
  return findings;
}

async function aboutKeys(deps: Deps, config: OidcConnection["config"], jwksUri: unknown): Promise<Finding> {
  if (typeof jwksUri !== "string") return failed("jwks", "Nothing says where its keys are.");
  const jwks = readJson(await fetchDocument(deps, jwksUri, "application/jwk-set+json, application/json"));
  if (!jwks) return failed("jwks", UNREACHABLE);
  const keys = importForeignKeys(jwks);
  const algorithm = config.id_token_signed_response_alg ?? "RS256";
  const fitting = keys.filter(({ algs }) => algs.some((alg) => alg === algorithm));
  if (fitting.length > 0) return ok("jwks", `It has ${fitting.length} usable for ${algorithm}.`);
  // Keys for algorithms that we ourselves do not sign with are read by the library alone.
  const other = ["RS384", "RS512", "PS384", "PS512", "ES384", "ES512"].includes(algorithm);
  return other
    ? warning("jwks", `Whether one fits ${algorithm} shows at the first sign-in.`)
    : failed("jwks", `None of its keys can be used for ${algorithm}.`);
}

/** There is no metadata: what can be seen is whether anybody is there. */
export async function probeOauth2(deps: Deps, { config }: Oauth2Connection): Promise<Finding[]> {
  const names = ["token_endpoint", "userinfo_endpoint", "emails_endpoint"] as const;
  const asked = names.map(async (name) => {
    const url = config[name];
    if (url === undefined) return [];
    return [(await answers(deps, url)) ? ok(name, "It answers.") : failed(name, UNREACHABLE)];
  });
  return (await Promise.all(asked)).flat();
}

function readJson(text: string | undefined): Document | undefined {
  try {
    const read: unknown = text === undefined ? undefined : JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? { ...read } : undefined;
  } catch {
    return undefined;
  }
}
