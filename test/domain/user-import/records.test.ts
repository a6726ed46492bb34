/** Rows of a file, whatever pieces it comes in. */
import { describe, expect, it } from "bun:test";
import fc from "fast-check";
import { type FileRecord, readRecords, UnreadableFile } from "../../../src/domain/user-import/records.ts";
import { csvLine } from "../../../src/lib/csv.ts";

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(format: "csv" | "ndjson", text: string, size = 7): Promise<FileRecord[]> {
  const records: FileRecord[] = [];
  for await (const record of readRecords(format, pieces(Buffer.from(text), size))) records.push(record);
  return records;
}

const fieldsOf = async (format: "csv" | "ndjson", text: string, size?: number) =>
  (await read(format, text, size)).map(({ fields }) => fields);

describe("NDJSON", () => {
  it("has an object on each line; empty lines are none", async () => {
    const text = '\ufeff{"email":"ä@example.com"}\r\n\n  \n{"a":{"b":[1]}}';
    expect(await fieldsOf("ndjson", text, 1)).toEqual([{ email: "ä@example.com" }, { a: { b: [1] } }]);
  });

  it("that is none is a row that cannot be read, and the next one is read again", async () => {
    const text = ["{", "[]", "null", '"x"', "{}"].join("\n");
    expect(await fieldsOf("ndjson", text)).toEqual([undefined, undefined, undefined, undefined, {}]);
  });

  it("of a line that never ends is not kept in memory", async () => {
    const long = `{"email":"${"x".repeat(200_000)}"}`;
    expect(await fieldsOf("ndjson", `${long}\n{"b":1}\n${long}`, 10_000)).toEqual([
      undefined,
      { b: 1 },
      undefined,
    ]);
  });

  it("is counted in rows and bytes", async () => {
    const records = await read("ndjson", '{"a":1}\n\n{"a":2}\n', 1000);
    expect(records.map(({ row, bytesRead }) => [row, bytesRead])).toEqual([
      [1, 17],
      [2, 17],
    ]);
  });
});

describe("CSV", () => {
  it("is what was written, whatever the cells hold and the pieces are (RFC 4180)", async () => {
    const cell = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom('"', ",", "\n", '=1"', "'", "\r\n"),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell)),
        fc.integer({ min: 1, max: 50 }),
        async (rows, size) => {
          // A line of one empty cell is no row: the address is never empty.
          const written = rows.map(([a, b]) => ({ email: `x${a}`, name: b }));
          const text =
            csvLine(["email", "name"]) + written.map(({ email, name }) => csvLine([email, name])).join("");
          expect(await fieldsOf("csv", text, size)).toEqual(
            written.map((row) => ({ ...row, name: plain(row.name) })),
          );
        },
      ),
    );
  });

  it("has columns by its first row, in any order and case, and rows may be shorter", async () => {
    expect(await fieldsOf("csv", "Name, EMAIL \nAda,a@example.com\nBob")).toEqual([
      { name: "Ada", email: "a@example.com" },
      { name: "Bob" },
    ]);
  });

  it("with more cells than columns, a stray quote or an open one is a row that cannot be read", async () => {
    const text = 'email\na,b\nx"y\n"x"y\nok\n"open';
    expect(await fieldsOf("csv", text)).toEqual([
      undefined,
      undefined,
      undefined,
      { email: "ok" },
      undefined,
    ]);
  });

  it.each(["name\nx", "email,email\nx", "", '"email\nx'])(
    "without a column for the address is no file: %j",
    async (text) => {
      const records = read("csv", text);
      if (text === "") expect(await records).toEqual([]);
      else await expect(records).rejects.toThrow(UnreadableFile);
    },
  );
});

/** What a spreadsheet's guard does to a cell is taken away again, also where the writer had put it there. */
function plain(text: string): string {
  return /^'(?:[\s\p{Cc}]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/u.test(text) ? text.slice(1) : text;
}
