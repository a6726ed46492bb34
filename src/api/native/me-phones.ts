/** The user's phone numbers. */
import { Elysia, t } from "elysia";
import type { Deps } from "../../deps.ts";
import { listPhones, removePhone } from "../../domain/phones/service.ts";
import { addPhone, verifyPhone } from "../../domain/proofs/phone-verification.ts";
import { jsonBody } from "../../http/json-body.ts";
import { bearerAuth, commonErrors, ErrorResponse, MessageResponse } from "../../http/models.ts";
import { userScope } from "../../http/scope.ts";
import { notFound } from "../../lib/errors.ts";
import { type Id, isId } from "../../lib/ids.ts";
import { CodeRequest, PhoneRequest, PhoneResponse, phoneResponse } from "./account-models.ts";
import { requireFresh } from "./me-account.ts";
import { requireOwnApplication } from "./me-access.ts";
import { Nothing } from "./models.ts";

const errors = { 401: ErrorResponse, 403: ErrorResponse, ...commonErrors };
const params = t.Object({ id: t.String() });

export const mePhoneRoutes = (deps: Deps) =>
  new Elysia({ name: "native-me-phones", detail: { tags: ["Account"], security: bearerAuth } })
    .use(userScope(deps))
    // Before the body is looked at, and for every route below.
    .derive(async ({ tenant, access }) => {
      await requireOwnApplication(deps, { tenant, access });
      return { user: access.user };
    })
    .get("/me/phones", async ({ user }) => ({ phones: (await listPhones(deps, user)).map(phoneResponse) }), {
      response: { 200: t.Object({ phones: t.Array(PhoneResponse) }), ...errors },
      detail: { summary: "The user's phone numbers" },
    })
    .post(
      "/me/phones",
      async ({ body, tenant, user, access, context, status }) => {
        await requireFresh(deps, tenant, access);
        return status(201, phoneResponse(await addPhone(deps, user, body.number, context)));
      },
      {
        parse: jsonBody,
        body: PhoneRequest,
        response: { 201: PhoneResponse, 409: ErrorResponse, 422: ErrorResponse, ...errors },
        detail: {
          summary: "Add a phone number",
          description: "Texts it a code. Sent again for the same number, it texts another one.",
        },
      },
    )
    .post(
      "/me/phones/:id/verify",
      async ({ params: { id }, body, tenant, user, context }) => {
        await verifyPhone(deps, tenant, user, phoneIdOf(id), body.code, context);
        return { message: "The phone number is verified." };
      },
      {
        parse: jsonBody,
        body: CodeRequest,
        params,
        response: { 200: MessageResponse, 409: ErrorResponse, 422: ErrorResponse, ...errors },
        detail: { summary: "Verify a phone number with the code that was texted" },
      },
    )
    .delete(
      "/me/phones/:id",
      async ({ params: { id }, tenant, user, access, context, status }) => {
        await requireFresh(deps, tenant, access);
        await removePhone(deps, user, phoneIdOf(id), context);
        return status(204, undefined);
      },
      { params, response: { 204: Nothing, ...errors }, detail: { summary: "Remove a phone number" } },
    );

function phoneIdOf(text: string): Id<"phone"> {
  if (!isId("phone", text)) throw notFound("There is no such phone number.");
  return text;
}
