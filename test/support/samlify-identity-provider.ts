/** A SAML identity provider on this machine, made with samlify as its authors mean it to be used. */
import samlify from "samlify";
import { freePort } from "./free-port.ts";
import { type Credentials, newCredentials, newId } from "./saml-identity-provider.ts";

export interface SamlifyPerson {
  readonly nameId: string;
  readonly email: string;
}

export interface SamlifyIdentityProvider {
  readonly url: string;
  readonly entityId: string;
  readonly credentials: Credentials;
  /** Of how many logouts it heard. */
  readonly logouts: { readonly nameId: string; readonly sessionIndex: string }[];
  /** Who signs in there, and how. */
  configure(options: { person?: SamlifyPerson; encrypted?: boolean; sp?: string }): Promise<void>;
  /** What an application's LogoutRequest leads a browser to, for the session that began last. */
  logoutUrl(): string;
  stop(): Promise<void>;
}

const BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-";

export async function startSamlifyIdentityProvider(): Promise<SamlifyIdentityProvider> {
  const credentials = await newCredentials("samlify");
  const port = freePort();
  const url = `http://localhost:${port}`;
  const entityId = `${url}/metadata`;
  let person: SamlifyPerson = { nameId: "ada", email: "ada@example.com" };
  let encrypted = false;
  let sp = samlify.ServiceProvider({ entityID: "nobody" });
  let sessionIndex = newId();
  const logouts: { nameId: string; sessionIndex: string }[] = [];
  // Ours are made by a test of their own to fit the schema.
  samlify.setSchemaValidator({ validate: async () => "SUCCESS" });

  // By a name of their own: its types do not know the algorithms of encryption, which it reads.
  const settings = () => ({
    entityID: entityId,
    privateKey: credentials.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    signingCert: credentials.certificate,
    isAssertionEncrypted: encrypted,
    requestSignatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    wantAuthnRequestsSigned: true,
    wantLogoutRequestSigned: true,
    wantLogoutResponseSigned: true,
    nameIDFormat: ["urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"],
    singleSignOnService: [{ Binding: `${BINDING}Redirect`, Location: `${url}/sso` }],
    singleLogoutService: [{ Binding: `${BINDING}Redirect`, Location: `${url}/slo` }],
    dataEncryptionAlgorithm: "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    keyEncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
  });
  const idp = () => samlify.IdentityProvider(settings());

  /** Its template leaves the statements to whoever uses it. */
  function filled(values: Record<string, string>, template: string): { id: string; context: string } {
    const statements = `<saml:AuthnStatement AuthnInstant="${values["IssueInstant"]}" SessionIndex="${sessionIndex}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue>${person.email}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`;
    const context = samlify.SamlLib.replaceTagsByValue(
      template.replace("{AuthnStatement}{AttributeStatement}", statements),
      values,
    );
    return { id: values["ID"] ?? "", context };
  }

  async function respond(query: Record<string, string>, octetString: string): Promise<Response> {
    const request = await idp().parseLoginRequest(sp, "redirect", { query, octetString });
    sessionIndex = newId();
    const now = new Date();
    const soon = new Date(now.getTime() + 300_000).toISOString();
    const acs = String(sp.entityMeta.getAssertionConsumerService("post"));
    const values = {
      ID: newId(),
      AssertionID: newId(),
      Destination: acs,
      Audience: sp.entityMeta.getEntityID(),
      SubjectRecipient: acs,
      Issuer: entityId,
      IssueInstant: now.toISOString(),
      StatusCode: "urn:oasis:names:tc:SAML:2.0:status:Success",
      ConditionsNotBefore: now.toISOString(),
      ConditionsNotOnOrAfter: soon,
      SubjectConfirmationDataNotOnOrAfter: soon,
      NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
      NameID: person.nameId,
      InResponseTo: String(request.extract["request"]?.["id"]),
    };
    const answer = await idp().createLoginResponse(
      sp,
      { extract: request.extract },
      "post",
      {},
      (template: string) => filled(values, template),
    );
    return form(acs, { SAMLResponse: answer.context, RelayState: query["RelayState"] ?? "" });
  }

  async function logOut(query: Record<string, string>, octetString: string): Promise<Response> {
    if (query["SAMLResponse"] !== undefined) {
      const html = '<!doctype html><link rel="icon" href="data:,"><title>Company</title><p>Goodbye.</p>';
      return new Response(html, { headers: { "content-type": "text/html" } });
    }
    const request = await idp().parseLogoutRequest(sp, "redirect", { query, octetString });
    const { extract } = request;
    logouts.push({ nameId: String(extract["nameID"]), sessionIndex: String(extract["sessionIndex"]) });
    const answer = idp().createLogoutResponse(sp, { extract }, "redirect", query["RelayState"] ?? "");
    return Response.redirect(answer.context, 302);
  }

  const server = Bun.serve({
    port,
    hostname: "localhost",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const query = Object.fromEntries(new URLSearchParams(search));
      const octetString = search.slice(1).replace(/&Signature=.*$/, "");
      if (pathname === "/sso") return respond(query, octetString);
      if (pathname === "/slo") return logOut(query, octetString);
      return new Response(null, { status: 404 });
    },
  });

  return {
    url,
    entityId,
    credentials,
    logouts,
    async configure(options) {
      person = options.person ?? person;
      encrypted = options.encrypted ?? encrypted;
      if (options.sp === undefined) return;
      const metadata = await (await fetch(options.sp)).text();
      sp = samlify.ServiceProvider({
        metadata,
        wantLogoutRequestSigned: true,
        wantLogoutResponseSigned: true,
      });
    },
    logoutUrl: () =>
      idp().createLogoutRequest(sp, "redirect", { logoutNameID: person.nameId, sessionIndex }, "theirs")
        .context,
    stop: () => server.stop(true),
  };
}

/** A form that posts itself, with a button for who has no script. */
function form(action: string, fields: Record<string, string>): Response {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
  );
  const html = `<!doctype html><link rel="icon" href="data:,"><title>Company</title><h1>Company</h1><form method="post" action="${action}">${inputs.join("")}<button>Sign in as Ada</button></form>`;
  return new Response(html, { headers: { "content-type": "text/html" } });
}
