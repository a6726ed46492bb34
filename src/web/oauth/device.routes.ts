/**
 * The verification_uri of RFC 8628 §3.3: people enter the code that their device shows, see what is asked for and from
 * where, and decide. A code in the address (`verification_uri_complete`, §3.3.1) is only ever filled in: whoever sends
 * such a link gets no further without the person who opens it.
 */
import { Elysia } from "elysia";
import type { Deps } from "../../deps.ts";
import { answerDevice, type DeviceVisit, lookUpDevice } from "../../domain/authorization/device-approval.ts";
import type { PendingDevice } from "../../domain/device/service.ts";
import type { Session } from "../../domain/sessions/service.ts";
import { issuerOf } from "../../domain/tenants/service.ts";
import { AppError } from "../../lib/errors.ts";
import { describeDevice } from "../../lib/device.ts";
import { networkOf } from "../../lib/network.ts";
import { clientIdentity } from "../../protocol/oauth/client-identity.ts";
import { deviceCookieName, expireCookie, serializeCookie } from "../cookies.ts";
import {
  clientView,
  formTo,
  linkTo,
  type PageRequest,
  pageScope,
  readPageForm,
  redirectTo,
  respondWithPage,
  shellOf,
} from "../http.ts";
import { formDetail, pageDetail, pageForm, pageResponses } from "../models.ts";
import {
  type DeviceCodeProps,
  renderDeviceCode,
  renderDeviceDecision,
  renderDeviceDone,
} from "../pages/device.tsx";

const PATH = "/device";
const DECISION_PATH = "/device/decision";

export const deviceRoutes = (deps: Deps) =>
  new Elysia({ name: "web-device" })
    .use(pageScope(deps))
    .get(
      PATH,
      async ({ page }) => {
        const session = page.session;
        const userCode = page.query.get("user_code")?.slice(0, MOST_CHARACTERS) ?? "";
        return session ? showCode(deps, page, session, { userCode }) : signInFirst(page, userCode);
      },
      { response: pageResponses, detail: pageDetail("Page for a device's code") },
    )
    .post(
      PATH,
      async ({ page, body }) => {
        const session = page.session;
        const field = readPageForm(deps, page, body, session);
        const userCode = field("user_code").slice(0, MOST_CHARACTERS);
        if (!session) return signInFirst(page, userCode);
        const found = await findDevice(deps, page, session, userCode);
        return found instanceof Response ? found : showDecision(deps, page, session, found);
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Look a device's code up") },
    )
    .post(
      DECISION_PATH,
      async ({ page, body }) => {
        const session = page.session;
        const field = readPageForm(deps, page, body, session);
        const userCode = field("user_code").slice(0, MOST_CHARACTERS);
        if (!session) return signInFirst(page, userCode);
        const device = await findDevice(deps, page, session, userCode);
        if (device instanceof Response) return device;
        const allowed = field("decision") === "allow";
        const answered = await answerDevice(deps, visitOf(page, session), device, allowed);
        if (!answered) return showCode(deps, page, session, { problem: "unknown_code" });
        const response = respondWithPage(deps, page, renderDeviceDone(shellOf(page), { allowed }));
        response.headers.append("set-cookie", expireCookie(deviceCookieName));
        return response;
      },
      { ...pageForm, response: pageResponses, detail: formDetail("Let a device in, or keep it out") },
    );

/** Of what somebody typed: a code with any dashes and spaces. */
const MOST_CHARACTERS = 32;

/** As long as a code is good for. */
const REMEMBERED_SECONDS = 600;

/** The sign-in pages lead back here by a cookie: the code in it is filled in again. */
function signInFirst(page: PageRequest, userCode: string): Response {
  const cookie = serializeCookie(deviceCookieName, userCode.replace(/[^A-Za-z0-9-]/g, ""), {
    maxAgeSeconds: REMEMBERED_SECONDS,
  });
  return redirectTo(page, linkTo(page, "/signin"), [cookie]);
}

const visitOf = ({ tenant, context }: PageRequest, session: Session): DeviceVisit => ({
  tenant,
  context,
  session,
});

/** The device, or the page that says why there is none. */
async function findDevice(
  deps: Deps,
  page: PageRequest,
  session: Session,
  userCode: string,
): Promise<PendingDevice | Response> {
  try {
    const found = await lookUpDevice(deps, visitOf(page, session), userCode);
    return found.kind === "found"
      ? found.device
      : showCode(deps, page, session, { userCode, problem: found.kind });
  } catch (error) {
    if (!(error instanceof AppError) || error.status !== 429) throw error;
    return showCode(deps, page, session, { userCode, problem: "too_many_attempts" });
  }
}

function showCode(
  deps: Deps,
  page: PageRequest,
  session: Session,
  props: Omit<DeviceCodeProps, "form">,
): Response {
  const form = formTo(deps, page, PATH, undefined, session);
  const html = renderDeviceCode(shellOf(page), { ...props, form });
  const status = { unknown_code: 400, too_many_attempts: 429, none: 200 }[props.problem ?? "none"];
  return respondWithPage(deps, page, html, { status });
}

function showDecision(deps: Deps, page: PageRequest, session: Session, device: PendingDevice): Response {
  const { client } = device;
  const view = clientView({ client });
  const issuer = issuerOf(page.tenant, deps.config.publicUrl);
  const here = page.context.ip;
  const html = renderDeviceDecision(shellOf(page), {
    form: formTo(deps, page, DECISION_PATH, undefined, session),
    client: view,
    identity: clientIdentity(client, ""),
    user: session.user.email ?? session.user.username,
    userCode: device.userCode,
    scopes: device.scope.map((name) => ({ name })),
    resources: device.resources.filter((resource) => resource !== issuer),
    place: {
      address: device.ip ?? undefined,
      device: describeDevice(device.userAgent),
      sameNetwork: device.ip !== null && here !== undefined && networkOf(device.ip) === networkOf(here),
    },
    accountUrl: linkTo(page, "/account"),
  });
  const images = [page.tenant.settings.logo_url, view.logoUrl].filter((url) => typeof url === "string");
  return respondWithPage(deps, page, html, { headers: { imgSources: images } });
}
