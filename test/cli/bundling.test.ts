/** The bundle of the services: of exactly the present sources, and no other program than they are. */
import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from "bun:test";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { findBundle, makeBundle } from "../../src/cli/bundling.ts";
import { createClient } from "../../src/domain/clients/service.ts";
import { systemContext } from "../../src/domain/request-context.ts";
import { findDefaultTenant } from "../../src/domain/tenants/service.ts";
import { projectRoot } from "../../src/lib/project-root.ts";
import { freePort } from "../support/free-port.ts";
import { scratchDirectory, until } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

// A bundle is made and processes are started, on a machine that has much to do.
setDefaultTimeout(120_000);

/** A checkout of one small program. */
function smallCheckout(root: string): void {
  mkdirSync(join(root, "src"));
  mkdirSync(join(root, "patches"));
  mkdirSync(join(root, "node_modules"));
  writeFileSync(join(root, "src", "cli.ts"), 'import { word } from "./word.ts"; console.log(word);');
  writeFileSync(join(root, "src", "word.ts"), 'export const word: string = "first";');
  writeFileSync(join(root, "bun.lock"), "{}");
}

const say = (file: string | undefined) =>
  Bun.spawnSync([process.execPath, file ?? "nothing"])
    .stdout.toString()
    .trim();

describe("A bundle", () => {
  it("is found when it was made of the present sources, libraries and patches", async () => {
    using scratch = scratchDirectory();
    const { path: root } = scratch;
    smallCheckout(root);
    expect(findBundle({ root })).toBeUndefined();
    const made = await makeBundle({ root });
    expect(findBundle({ root })).toBe(made);
    expect(say(made)).toBe("first");
    expect(readdirSync(join(root, ".build"))).toHaveLength(1);

    for (const [file, content] of [
      ["bun.lock", "{ }"],
      ["package.json", "{}"],
      ["patches/postgres.patch", "changed"],
      ["node_modules/.gatewright-installed", "{ }changed"],
      ["src/word.ts", 'export const word: string = "other";'],
    ] as const) {
      writeFileSync(join(root, file), content);
      expect([file, findBundle({ root })]).toEqual([file, undefined]);
      await makeBundle({ root });
      expect(findBundle({ root })).toBeDefined();
    }
    expect(say(findBundle({ root }))).toBe("other");
  });

  it("is made once, and once of the same sources again", async () => {
    using scratch = scratchDirectory();
    const { path: root } = scratch;
    smallCheckout(root);
    const [one, two] = await Promise.all([makeBundle({ root }), makeBundle({ root })]);
    expect(two).toBe(one);
    appendFileSync(one, "\n// as it was");
    expect(await makeBundle({ root })).toBe(one);
    expect(readFileSync(one, "utf8")).toEndWith("// as it was");
  });

  it("is not made of half an edit", async () => {
    using scratch = scratchDirectory();
    const { path: root } = scratch;
    smallCheckout(root);
    const making = makeBundle({ root }).catch((error: unknown) => error);
    writeFileSync(join(root, "src", "word.ts"), 'export const word: string = "edited";');
    expect(await making).toBeInstanceOf(Error);
    expect(findBundle({ root })).toBeUndefined();
    expect(readdirSync(join(root, ".build"))).toEqual([]);
    expect(say(await makeBundle({ root }))).toBe("edited");
  });

  it("leaves nothing behind that does not build", async () => {
    using scratch = scratchDirectory();
    const { path: root } = scratch;
    smallCheckout(root);
    writeFileSync(join(root, "src", "word.ts"), "export const = ;");
    const refusal = await makeBundle({ root }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Error);
    expect(findBundle({ root })).toBeUndefined();
    expect(readdirSync(join(root, ".build"))).toEqual([]);
  });

  it("stays beside the two that came after it, and what was interrupted is cleared away", async () => {
    using scratch = scratchDirectory();
    const { path: root } = scratch;
    smallCheckout(root);
    const made: string[] = [];
    const interrupted = join(root, ".build", "unfinished-long-ago");
    const present = join(root, ".build", "unfinished-now");
    mkdirSync(present, { recursive: true });
    mkdirSync(interrupted);
    utimesSync(interrupted, 1, 1);
    for (let second = 1; second <= 4; second++) {
      writeFileSync(join(root, "src", "word.ts"), `export const word: string = "${second}";`);
      const file = await makeBundle({ root });
      made.push(file);
      utimesSync(join(file, ".."), second, second);
    }
    expect(made.map((file) => existsSync(file))).toEqual([false, true, true, true]);
    expect([existsSync(interrupted), existsSync(present)]).toEqual([false, true]);
  });
});

describe("The services of a bundle", () => {
  let server: TestServer;
  const scratch = scratchDirectory();
  let bundled: { readonly url: string; readonly child: Bun.Subprocess };
  beforeAll(async () => {
    server = await startTestServer();
    for (const name of ["src", "workers", "drizzle", "package.json", "bun.lock", "tsconfig.json"])
      cpSync(join(projectRoot, name), join(scratch.path, name), { recursive: true });
    symlinkSync(join(projectRoot, "node_modules"), join(scratch.path, "node_modules"));
    const file = await makeBundle({ root: scratch.path });
    const [pragma, ...code] = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, [pragma, 'console.log("from the bundle");', ...code].join("\n"));
    const port = freePort();
    const child = Bun.spawn(
      [process.execPath, "--no-env-file", join(scratch.path, "src", "launch.ts"), "api"],
      {
        env: {
          PATH: process.env["PATH"],
          NODE_ENV: "test",
          PORT: String(port),
          DATABASE_URL: server.config.databaseUrl,
          PUBLIC_URL: server.url,
          GATEWRIGHT_MASTER_KEY: `1:${Buffer.alloc(32, 7).toString("base64")}`,
        },
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    const url = `http://127.0.0.1:${port}`;
    bundled = { url, child };
    await until(
      "the bundle's API is ready",
      () =>
        fetch(`${url}/readyz`).then(
          (answer) => answer.ok,
          () => child.exitCode !== null,
        ),
      60_000,
    );
  });
  afterAll(async () => {
    bundled.child.kill("SIGTERM");
    await bundled.child.exited;
    await server.stop();
    scratch[Symbol.dispose]();
  });

  const fetchBoth = (path: string, init: RequestInit = {}) =>
    Promise.all([server.url, bundled.url].map((url) => fetch(url + path, { redirect: "manual", ...init })));

  it.each([
    "/docs/json",
    "/docs/files/swagger-ui.css",
    "/.well-known/openid-configuration",
    "/.well-known/jwks.json",
    "/scim/v2/Schemas",
    "/me",
    "/nowhere",
    "/oauth/authorize?client_id=nobody",
  ])("answer %s as the sources do", async (path) => {
    const [source, bundle] = await fetchBoth(path);
    if (!source || !bundle) throw new Error("unreachable");
    expect(bundle.status).toBe(source.status);
    expect(bundle.headers.get("content-type")).toBe(source.headers.get("content-type"));
    const withoutId = (text: string) => text.replace(/req_\w+/g, "");
    expect(withoutId(await bundle.text())).toBe(withoutId(await source.text()));
  });

  it("serve the pages with their stylesheet", async () => {
    const [source, bundle] = await fetchBoth("/signin");
    const sheet = /\/assets\/gatewright-\w+\.css/;
    const path = sheet.exec((await source?.text()) ?? "")?.[0] ?? "";
    expect(path).toStartWith("/assets/");
    expect(await bundle?.text()).toContain(path);
    const [original, other] = await fetchBoth(path);
    expect(await other?.text()).toBe((await original?.text()) ?? "");
  });

  it("issue tokens that the sources take, and the other way round", async () => {
    const tenant = await findDefaultTenant(server.deps);
    if (!tenant) throw new Error("no default tenant");
    const { client, clientSecret } = await createClient(
      server.deps,
      tenant.id,
      {
        name: "Robot",
        redirectUris: [],
        grantTypes: ["client_credentials"],
        public: false,
        firstParty: true,
      },
      { actor: { type: "system" }, context: systemContext },
    );
    const authorization = `Basic ${Buffer.from(`${client.clientId}:${clientSecret}`).toString("base64")}`;
    const post = async (url: string, path: string, fields: Record<string, string>) => {
      const answer = await fetch(url + path, {
        method: "POST",
        headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(fields).toString(),
      });
      const body: { access_token?: string; active?: boolean } = await answer.json();
      return body;
    };
    for (const [issuer, reader] of [
      [server.url, bundled.url],
      [bundled.url, server.url],
    ] as const) {
      const { access_token: token = "" } = await post(issuer, "/oauth/token", {
        grant_type: "client_credentials",
      });
      expect(await post(reader, "/oauth/introspect", { token })).toMatchObject({ active: true });
    }
  });

  it("were the bundle's, and stop in order", async () => {
    bundled.child.kill("SIGTERM");
    expect(await bundled.child.exited).toBe(0);
    const { stdout } = bundled.child;
    expect(stdout instanceof ReadableStream ? await new Response(stdout).text() : "").toContain(
      "from the bundle",
    );
  });
});
