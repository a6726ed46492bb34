/** The development mailbox: what the `mailbox` mail driver caught. Registered only with that driver. */
import { Elysia, t } from "elysia";
import type { Deps } from "../deps.ts";
import { findMessage, listMessages } from "../domain/mailbox/service.ts";
import { notFound } from "../lib/errors.ts";
import { isId } from "../lib/ids.ts";
import { pageScope, respondWithPage, shellOf } from "./http.ts";
import { Page, pageDetail } from "./models.ts";
import { renderMailbox } from "./pages/mailbox.tsx";

const MailboxMessages = t.Array(
  t.Object({
    id: t.String(),
    to: t.String(),
    subject: t.String(),
    text: t.String(),
    html: t.String(),
    created_at: t.String({ format: "date-time" }),
  }),
);

export const mailboxRoutes = (deps: Deps) =>
  new Elysia({ name: "web-mailbox" }).use(pageScope(deps)).get(
    "/dev/mailbox",
    async ({ page, query: { message: id, limit } }) => {
      const messages = await listMessages(deps.db, limit ?? 100);
      if (!page.request.headers.get("accept")?.includes("text/html")) {
        return Response.json(messages.map(toJson), { headers: { "cache-control": "no-store" } });
      }
      const selected = id === undefined ? messages[0] : await openMessage(deps, id);
      const html = renderMailbox(shellOf(page), {
        messages: messages.map((message) => ({ ...message, url: `/dev/mailbox?message=${message.id}` })),
        selected,
      });
      return respondWithPage(deps, page, html, { headers: { inlineStyles: true } });
    },
    {
      query: t.Object({
        message: t.Optional(t.String({ maxLength: 64 })),
        limit: t.Optional(t.Integer({ minimum: 1, maximum: 1000 })),
      }),
      response: { 200: t.Union([MailboxMessages, Page]), 400: Page, 404: Page, 500: Page },
      detail: {
        ...pageDetail("Mail caught in development"),
        tags: ["Development"],
        description: "Newest first: a page for browsers, a list for `Accept: application/json`.",
      },
    },
  );

type Message = Awaited<ReturnType<typeof listMessages>>[number];

const toJson = ({ id, to, subject, text, html, createdAt }: Message) => ({
  id,
  to,
  subject,
  text,
  html,
  created_at: createdAt.toISOString(),
});

async function openMessage(deps: Deps, id: string): Promise<Message> {
  const message = isId("message", id) ? await findMessage(deps.db, id) : undefined;
  if (!message) throw notFound("There is no such message.");
  return message;
}
