/** What `gatewright test` set up for this run (`src/cli/test-environment.ts`). */

/** The superuser's URL of a PostgreSQL that belongs to the tests: they make and drop databases there at will. */
export function testDatabaseUrl(): string {
  const url = process.env["TEST_DATABASE_URL"];
  if (url) return url;
  throw new Error("TEST_DATABASE_URL is not set: run tests with ./gatewright test [files]");
}

/** A Redis that belongs to the tests; undefined on a machine without one, where tests of it are skipped. */
export const testRedisUrl: string | undefined = process.env["TEST_REDIS_URL"];

/** The path of Chromium; undefined on a machine without it, where browser tests are skipped. */
export const testChromium: string | undefined = process.env["TEST_CHROMIUM"];
