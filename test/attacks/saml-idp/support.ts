/** What the attacks on the SAML identity provider share: a person who is signed in, and an application that is attacked. */
import { expect, type Mock, spyOn } from "bun:test";
import type { SamlClientRequest } from "../../../src/domain/saml-idp/service.ts";
import { describeSamlClient, updateSamlClient } from "../../../src/domain/saml-idp/service.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import type { User } from "../../../src/domain/users/service.ts";
import type { SamlRefusal } from "../../../src/protocol/saml/errors.ts";
import { addUser, signedInBrowser } from "../../conformance/support.ts";
import type { HttpBrowser, Visit } from "../../support/browser.ts";
import { type Credentials, redirectQuery, toBase64 } from "../../support/saml-identity-provider.ts";
import {
  authnRequestXml,
  registerServiceProvider,
  type RequestParts,
  requestOf,
  type ServiceProvider,
} from "../../support/saml-service-provider.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

export interface Scene {
  readonly server: TestServer;
  readonly ada: User;
  /** Where Ada is signed in. */
  readonly browser: HttpBrowser;
  readonly sp: ServiceProvider;
  /** A sound request, and whatever is changed of it. */
  write(changes?: Partial<RequestParts>, of?: ServiceProvider): string;
  /** Sends a request by the redirect binding, signed by the application unless told otherwise. */
  send(xml: string, options?: SendOptions): Promise<Visit>;
  post(xml: string, of?: ServiceProvider): Promise<Visit>;
  /** What an administrator changes of the application. */
  change(of: ServiceProvider, changes: Partial<SamlClientRequest>): Promise<unknown>;
  /** Refused for this reason and no other: what is written to the log, and told to nobody. */
  expectRefused(page: Visit, reason: SamlRefusal): void;
}

export interface SendOptions {
  of?: ServiceProvider;
  /** Whose key signs it; undefined: nobody's. */
  by?: Credentials | undefined;
  relayState?: string;
  browser?: HttpBrowser;
}

/** Answered with a page of ours: nothing goes to anybody. */
export function expectNothing(page: Visit, status = 400): void {
  expect(page.status).toBe(status);
  expect(page.html).not.toContain("SAMLResponse");
}

/** What the page carries of a request that waits. */
export function interactionOf(page: Visit): string {
  const interaction = page.url.searchParams.get("interaction");
  if (!interaction?.startsWith("saml.")) throw new Error(`${page.url.pathname} belongs to no request`);
  return interaction;
}

export async function setScene(): Promise<Scene> {
  const server = await startTestServer();
  const logged: Mock<TestServer["deps"]["log"]["info"]> = spyOn(server.deps.log, "info");
  const ada = await addUser(server, "ada");
  const browser = await signedInBrowser(server, ada);
  // From here on that sign-in is older than any request.
  server.clock.advance(1);
  const sp = await registerServiceProvider(server, { name_id_format: "emailAddress" });
  return {
    server,
    ada,
    browser,
    sp,
    write: (changes = {}, of = sp) => authnRequestXml(requestOf(of, server.clock.now(), changes)),
    send(xml, options = {}) {
      const { of = sp, relayState } = options;
      const by = "by" in options ? options.by : of.credentials;
      const query = redirectQuery("SAMLRequest", xml, relayState, by);
      return (options.browser ?? browser).open(`${of.saml.options.entryPoint}?${query}`);
    },
    post: (xml, of = sp) =>
      browser.postFromElsewhere(of.saml.options.entryPoint ?? "", { SAMLRequest: toBase64(xml) }),
    change({ client }, changes) {
      const by = { actor: { type: "system" as const }, context: systemContext };
      const changed = { ...describeSamlClient(client), ...changes };
      return updateSamlClient(server.deps, server.tenant.id, client.id, changed, by);
    },
    expectRefused(page, reason) {
      expectNothing(page);
      expect(page.html).toContain("The application's message was not accepted.");
      const [requestId = "none"] = /req_\w+/.exec(page.html) ?? [];
      const lines = logged.mock.calls
        .map((call) => JSON.stringify(call))
        .filter((line) => line.includes(requestId));
      expect(lines.find((line) => line.includes('"reason"'))).toContain(`"reason":"${reason}"`);
    },
  };
}
