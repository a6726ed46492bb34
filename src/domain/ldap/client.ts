/** A conversation with a directory: one connection, its time and its bytes bounded. */
import type { Client, Entry } from "ldapts";
import type { Deps } from "../../deps.ts";
import type { LdapConfig } from "../connections/kinds/ldap.ts";

/** For a whole sign-in. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** The directory cannot be asked, or does not let us search. For the log; whoever signs in learns only that it failed. */
export class DirectoryError extends Error {
  override readonly name = "DirectoryError";

  constructor(
    readonly step: "connect" | "bind" | "search" | "entry",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Search {
  readonly base: string;
  readonly filter: string;
  readonly attributes: readonly string[];
  /** Told as octets, whatever they look like. */
  readonly binary?: readonly string[];
  /** How many entries are wanted at most. */
  readonly most: number;
}

export interface Directory {
  /** As who searches. @throws DirectoryError */
  bindAsReader(): Promise<void>;
  /** Whether this is the entry's password. @throws DirectoryError when the directory does not say */
  isPasswordOf(dn: string, password: string): Promise<boolean>;
  /** Referrals are not followed: they lead to whatever a directory says. @throws DirectoryError */
  search(search: Search): Promise<Entry[]>;
}

/**
 * Talks with a directory, and hangs up.
 * @throws DirectoryError
 */
export async function withDirectory<Result>(
  deps: Deps,
  { url, start_tls: startTls, ca_certificate: ca, bind_dn: readerDn }: LdapConfig,
  readerPassword: string,
  talk: (directory: Directory) => Promise<Result>,
): Promise<Result> {
  const ldapts = await import("ldapts");
  const bounds = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES };
  const connection = await deps.directories.open(url, { startTls, ca, ...bounds }).catch((cause: unknown) => {
    throw new DirectoryError("connect", "the directory cannot be connected to", { cause });
  });
  let used = false;
  const client = new ldapts.Client({
    // Not resolved by anybody: the connection is there, and there is no second one.
    url: "ldap://directory.invalid",
    timeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
    createConnection: () => {
      // The library connects anew when a connection was lost, without TLS and without having bound.
      if (used) throw new Error("the connection was lost");
      used = true;
      return connection.socket;
    },
  });
  try {
    return await talk(directoryOf(client, ldapts, { readerDn, readerPassword }));
  } finally {
    await client.unbind().catch(() => {});
    connection.close();
  }
}

function directoryOf(
  client: Client,
  ldapts: typeof import("ldapts"),
  { readerDn, readerPassword }: { readerDn: string; readerPassword: string },
): Directory {
  return {
    async bindAsReader() {
      // RFC 4513 §5.1.2: without a password it would succeed as nobody.
      if (readerPassword === "") throw new DirectoryError("bind", "there is no password for bind_dn");
      await client.bind(readerDn, readerPassword).catch((cause: unknown) => {
        throw new DirectoryError("bind", "the directory does not let us in", { cause });
      });
    },
    async isPasswordOf(dn, password) {
      if (password === "") return false;
      try {
        await client.bind(dn, password);
        return true;
      } catch (cause) {
        // Wrong, expired, locked or disabled: the directory's answers differ, and none of them lets anybody in.
        if (cause instanceof ldapts.ResultCodeError && !UNAVAILABLE.has(cause.code)) return false;
        throw new DirectoryError("bind", "the directory does not say whether the password is right", {
          cause,
        });
      }
    },
    async search({ base, filter, attributes, binary = [], most }) {
      try {
        const { searchEntries } = await client.search(base, {
          scope: "sub",
          derefAliases: "never",
          filter,
          attributes: [...attributes],
          explicitBufferAttributes: [...binary],
          sizeLimit: most,
          timeLimit: Math.ceil(TIMEOUT_MS / 1000),
        });
        return searchEntries.slice(0, most);
      } catch (cause) {
        throw new DirectoryError("search", "the directory could not be searched", { cause });
      }
    },
  };
}

/** busy and unavailable (RFC 4511 appendix A.2); all other results of a bind are verdicts. */
const UNAVAILABLE = new Set([51, 52]);
