/** Plays what identity providers send, byte for byte: only the ids that this server gave stand in for theirs. */
import { join } from "node:path";
import { expect } from "bun:test";
import type { Answer, ScimClient } from "./support.ts";

interface Recorded {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** Requests, each after a line `### <name>`: method and path, headers, an empty line, the body. */
async function readRecording(file: string): Promise<Recorded[]> {
  const text = await Bun.file(join(import.meta.dir, "payloads", file)).text();
  const [, ...blocks] = text.split(/^### /m);
  return blocks.map((block) => {
    const [head = "", ...bodies] = block.split("\n\n");
    const [name = "", request = "", ...headers] = head.trimEnd().split("\n");
    const [method = "", path = ""] = request.split(" ");
    const body = bodies.join("\n\n").replace(/\n+$/, "");
    return {
      name,
      method,
      path,
      headers: Object.fromEntries(headers.map((line) => line.split(/: (.*)/s, 2) as [string, string])),
      body: body === "" ? undefined : body,
    };
  });
}

/** Sends all of it in order; what was made gives `{{user}}` and `{{group}}`. @returns the answers by name */
export async function play(scim: ScimClient, file: string): Promise<Record<string, Answer>> {
  const ids = { user: "", group: "" };
  const withIds = (text = "") => text.replaceAll("{{user}}", ids.user).replaceAll("{{group}}", ids.group);
  const answers: Record<string, Answer> = {};
  for (const { name, method, path, headers, body } of await readRecording(file)) {
    const answer = await scim.send(
      method,
      withIds(path),
      body === undefined ? undefined : withIds(body),
      headers,
    );
    const wanted = method === "POST" ? [201] : method === "DELETE" ? [204] : [200, 204];
    if (!wanted.includes(answer.status))
      throw new Error(`${file}, ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    if (answer.status !== 204) expect(answer.headers.get("content-type")).toBe("application/scim+json");
    if (method === "POST") ids[path.startsWith("/Users") ? "user" : "group"] = answer.body.id;
    answers[name] = answer;
  }
  return answers;
}
