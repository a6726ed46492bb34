/** Where files are kept that are too large for the database: S3-compatible storage, or the data directory. */
import { chmod, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { S3Client } from "bun";
import type { Config } from "../config.ts";
import { randomSecret } from "../lib/crypto.ts";

export interface Storage {
  /** Keeps what comes, under a key made of letters, digits, `_`, `.`, `-` and inner slashes. Until all came, there is nothing. */
  write(key: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** @returns undefined when there is nothing under this key */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Also fine when there is nothing. */
  remove(key: string): Promise<void>;
}

/** Without S3_* the data directory, which all processes on this machine share; several machines need S3_*. */
export function openStorage(config: Pick<Config, "s3" | "dataDir">): Storage {
  return config.s3 ? s3Storage(config.s3) : directoryStorage(join(config.dataDir, "files"));
}

const KEY = /^[\w.-]+(?:\/[\w.-]+)*$/;

function checked(key: string): string {
  if (!KEY.test(key) || key.split("/").some((part) => part.startsWith("."))) {
    throw new RangeError("not a key of the storage");
  }
  return key;
}

function directoryStorage(directory: string): Storage {
  const pathOf = (key: string) => join(directory, checked(key));
  return {
    async write(key, chunks) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // Of one that was killed nothing is left but a file that no key names.
      const part = `${path}.${randomSecret(6)}.part`;
      const file = await open(part, "wx", 0o600);
      try {
        for await (const chunk of chunks) await file.write(chunk);
        await file.sync();
        await file.close();
        await chmod(part, 0o600);
        await rename(part, path);
      } catch (error) {
        await file.close().catch(() => {});
        await rm(part, { force: true });
        throw error;
      }
    },
    async read(key) {
      const file = Bun.file(pathOf(key));
      return (await file.exists()) ? file.stream() : undefined;
    },
    async remove(key) {
      const path = pathOf(key);
      await rm(path, { force: true });
      // What writers left that were killed.
      const names = await readdir(dirname(path)).catch(() => []);
      const parts = names.filter((name) => name.startsWith(`${basename(path)}.`) && name.endsWith(".part"));
      await Promise.all(parts.map((name) => rm(join(dirname(path), name), { force: true })));
    },
  };
}

function s3Storage({
  endpoint,
  bucket,
  region,
  accessKeyId,
  secretAccessKey,
}: NonNullable<Config["s3"]>): Storage {
  const client = new S3Client({
    endpoint,
    bucket,
    accessKeyId,
    secretAccessKey,
    ...(region === undefined ? {} : { region }),
  });
  return {
    async write(key, chunks) {
      const writer = client.file(checked(key)).writer({ type: "application/octet-stream", retry: 3 });
      for await (const chunk of chunks) {
        writer.write(chunk);
        await writer.flush();
      }
      await writer.end();
    },
    async read(key) {
      const file = client.file(checked(key));
      return (await file.exists()) ? file.stream() : undefined;
    },
    async remove(key) {
      await client.delete(checked(key));
    },
  };
}
