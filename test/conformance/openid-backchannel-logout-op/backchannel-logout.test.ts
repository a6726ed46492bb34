/**
 * OpenID Connect Back-Channel Logout 1.0, as we read the modules `oidcc-backchannel-rp-initiated-logout*` of the OpenID
 * Foundation's suite: a real worker, and a relying party that is asked over HTTP.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "bun:test";
import { and, eq } from "drizzle-orm";
import { createRemoteJWKSet, type JWTPayload, jwtVerify, type JWTVerifyResult } from "jose";
import * as client from "openid-client";
import { auditEvents } from "../../../src/db/schema/index.ts";
import { revokeOtherSessions } from "../../../src/domain/sessions/ending.ts";
import { systemContext } from "../../../src/domain/request-context.ts";
import type { User } from "../../../src/domain/users/service.ts";
import { LOGOUT_EVENT } from "../../../src/protocol/oidc/backchannel-logout.ts";
import { eventually } from "../../support/queue.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { addUser, type Application, logIn, registerApplication, signedInBrowser } from "../support.ts";
import { type LogoutReceiver, startLogoutReceiver } from "./receiver.ts";

let server: TestServer;
let user: User;
const receivers: LogoutReceiver[] = [];
beforeAll(async () => {
  server = await startTestServer({ env: { GATEWRIGHT_OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" } });
  await server.startWorker();
  user = await addUser(server, "ada");
});
afterAll(() => server.stop());
afterEach(() => {
  for (const receiver of receivers.splice(0)) receiver.stop();
});

async function newApplication(
  row: Record<string, unknown> = {},
): Promise<{ app: Application; receiver: LogoutReceiver }> {
  const receiver = startLogoutReceiver();
  receivers.push(receiver);
  const app = await registerApplication(server, { row: { backchannelLogoutUri: receiver.uri, ...row } });
  return { app, receiver };
}

function verifyToken(app: Application, token: string): Promise<JWTVerifyResult<JWTPayload>> {
  return jwtVerify(token, createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`)), {
    issuer: server.url,
    audience: app.registered.client.clientId,
    typ: "logout+jwt",
    currentDate: server.clock.now(),
  });
}

const auditTypes = async (app: Application) =>
  (
    await server.deps.db
      .select({ type: auditEvents.type })
      .from(auditEvents)
      .where(
        and(eq(auditEvents.tenantId, server.tenant.id), eq(auditEvents.targetId, app.registered.client.id)),
      )
  )
    .map(({ type }) => type)
    .filter((type) => type.startsWith("logout."));

describe("the provider's metadata (§2.1)", () => {
  /** oidcc-backchannel-logout-discovery-endpoint-verification */
  it("says that back-channel logout and sid are supported", async () => {
    const { app } = await newApplication();
    expect(app.config.serverMetadata()).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });
});

describe("oidcc-backchannel-rp-initiated-logout", () => {
  it("posts a logout token when the person signs out (§2.5)", async () => {
    const { app, receiver } = await newApplication();
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(app, browser, user);
    await browser.open(client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token ?? "" }));

    const request = await receiver.next();
    expect(request.method).toBe("POST");
    expect(request.headers.get("content-type")).toBe("application/x-www-form-urlencoded");
    expect([...request.form.keys()]).toEqual(["logout_token"]);
    const token = request.form.get("logout_token") ?? "";
    const { payload, protectedHeader } = await verifyToken(app, token);
    expect(protectedHeader).toMatchObject({ alg: "RS256", typ: "logout+jwt" });
    const idToken = tokens.claims();
    expect(payload).toEqual({
      iss: server.url,
      aud: app.registered.client.clientId,
      sub: idToken?.sub,
      sid: idToken?.["sid"],
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 120,
      jti: expect.any(String),
      events: { [LOGOUT_EVENT]: {} },
    });
    await eventually("the audit row", async () => (await auditTypes(app)).includes("logout.delivered"));
  });

  it("signs it as the client's ID tokens are signed, and names the user as the client knows them", async () => {
    const { app, receiver } = await newApplication({
      idTokenSignedResponseAlg: "PS256",
      subjectType: "pairwise",
    });
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(app, browser, user);
    await browser.open(client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token ?? "" }));
    const { payload, protectedHeader } = await verifyToken(
      app,
      (await receiver.next()).form.get("logout_token") ?? "",
    );
    expect(protectedHeader.alg).toBe("PS256");
    expect(payload.sub).toBe(tokens.claims()?.sub ?? "");
    expect(payload.sub).not.toBe(user.id);
  });
});

describe("who is told (§2.7)", () => {
  it("is every application of the session, and none of another session", async () => {
    const [first, second, elsewhere, silent] = [
      await newApplication(),
      await newApplication(),
      await newApplication(),
      await registerApplication(server),
    ];
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(first.app, browser, user);
    await logIn(second.app, browser, user);
    await logIn(silent, browser, user);
    const other = await signedInBrowser(server, user);
    await logIn(elsewhere.app, other, user);
    await browser.open(client.buildEndSessionUrl(first.app.config, { id_token_hint: tokens.id_token ?? "" }));
    await Promise.all([first.receiver.next(), second.receiver.next()]);
    expect(elsewhere.receiver.received).toBe(0);
    expect((await other.open("/account")).url.pathname).toBe("/account");
  });

  it("is told once, however often the application was signed in to", async () => {
    const { app, receiver } = await newApplication();
    const browser = await signedInBrowser(server, user);
    await logIn(app, browser, user);
    const { tokens } = await logIn(app, browser, user);
    await browser.open(client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token ?? "" }));
    await receiver.next();
    await eventually("the audit row", async () => (await auditTypes(app)).includes("logout.delivered"));
    expect(receiver.received).toBe(1);
  });

  it("is told of sessions that end for other reasons, too", async () => {
    const { app, receiver } = await newApplication();
    const { tokens } = await logIn(app, await signedInBrowser(server, user), user);
    await revokeOtherSessions(server.deps, user, {
      actor: { type: "user", id: user.id },
      context: systemContext,
      except: null,
    });
    const { payload } = await verifyToken(app, (await receiver.next()).form.get("logout_token") ?? "");
    expect(payload["sid"]).toBe(tokens.claims()?.["sid"]);
  });
});

describe("what becomes of the request (§2.8)", () => {
  it("is tried again when the application is not there, with a fresh token each time", async () => {
    const { app, receiver } = await newApplication();
    receiver.answers.push(503, 200);
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(app, browser, user);
    await browser.open(client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token ?? "" }));
    const first = await receiver.next();
    const second = await receiver.next();
    const jtis = await Promise.all(
      [first, second].map(
        async ({ form }) => (await verifyToken(app, form.get("logout_token") ?? "")).payload.jti,
      ),
    );
    expect(new Set(jtis).size).toBe(2);
    await eventually("the audit row", async () => (await auditTypes(app)).length > 0);
    expect(await auditTypes(app)).toEqual(["logout.delivered"]);
  });

  it("ends with the application's refusal, which is recorded", async () => {
    const { app, receiver } = await newApplication();
    receiver.answers.push(400);
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(app, browser, user);
    await browser.open(client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token ?? "" }));
    await receiver.next();
    await eventually("the audit row", async () => (await auditTypes(app)).length > 0);
    expect(await auditTypes(app)).toEqual(["logout.failed"]);
    expect(receiver.received).toBe(1);
  });

  it("follows no redirect", async () => {
    const target = startLogoutReceiver();
    receivers.push(target);
    const { app, receiver } = await newApplication();
    receiver.answers.push(Response.redirect(target.uri, 307), 200);
    const browser = await signedInBrowser(server, user);
    const { tokens } = await logIn(app, browser, user);
    await browser.open(client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token ?? "" }));
    await receiver.next();
    await receiver.next();
    expect(target.received).toBe(0);
  });
});
