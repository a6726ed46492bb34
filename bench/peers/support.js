/** What the peers' servers share. Plain JavaScript: their packages are not there when the types are checked. */
import { createServer } from "node:http";

export const form = (fields) => new URLSearchParams(fields).toString();

/** Listens with Node's own server on a free port. */
export function listening(handler) {
  const server = createServer(handler);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ url: `http://127.0.0.1:${server.address().port}` }));
  });
}

/** Tells the bench that the server is ready, and what to send it. */
export function ready(description) {
  process.stdout.write(`${JSON.stringify({ ...description, pid: process.pid })}\n`);
}

/** Keeps cookies, and follows redirects until one leads elsewhere. */
export function createJar(origin) {
  const cookies = new Map();
  const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  return {
    header,
    async follow(path, body) {
      let next = new URL(path, origin);
      let init = body === undefined ? {} : { method: "POST", body };
      for (;;) {
        const response = await fetch(next, {
          ...init,
          redirect: "manual",
          headers: {
            cookie: header(),
            ...(init.body ? { "content-type": "application/x-www-form-urlencoded" } : {}),
          },
        });
        for (const cookie of response.headers.getSetCookie()) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
          if (value === "") cookies.delete(name);
          else cookies.set(name, value);
        }
        const location = response.headers.get("location");
        if (!location) return next;
        const target = new URL(location, next);
        // What a server that listens elsewhere than at its issuer says of itself is read as its own address.
        if (target.pathname === "/callback") return target;
        next = new URL(target.pathname + target.search, origin);
        init = {};
      }
    },
  };
}
