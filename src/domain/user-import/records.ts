/** The rows of a file, one after the other: no more than a row and a chunk is in memory. */
import type { Format } from "./model.ts";

export interface FileRecord {
  /** Counted from 1; of CSV without its head. */
  readonly row: number;
  /** How much of the file was read when it ended: of the chunk that holds its end, all. */
  readonly bytesRead: number;
  /** Undefined for what cannot be read. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** What makes the whole file none that can be imported. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** Of a row. */
const MOST_CHARACTERS = 64 * 1024;
const MOST_COLUMNS = 200;

/** @throws UnreadableFile for CSV without a column `email` */
export function readRecords(format: Format, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  return format === "csv" ? csvRecords(chunks) : jsonRecords(chunks);
}

async function* texts(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ text: string; bytesRead: number }> {
  // Takes a byte order mark away, too.
  const decoder = new TextDecoder();
  let bytesRead = 0;
  for await (const chunk of chunks) {
    bytesRead += chunk.byteLength;
    yield { text: decoder.decode(chunk, { stream: true }), bytesRead };
  }
  yield { text: decoder.decode(), bytesRead };
}

/** A line for each (https://github.com/ndjson/ndjson-spec); empty ones are none. */
async function* jsonRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  let row = 0;
  let held = "";
  let overlong = false;
  let bytesRead = 0;
  const record = (line: string): FileRecord | undefined => {
    const tooLong = overlong || line.length > MOST_CHARACTERS;
    overlong = false;
    if (!tooLong && line.trim() === "") return undefined;
    return { row: ++row, bytesRead, fields: tooLong ? undefined : readObject(line) };
  };
  for await (const { text, bytesRead: read } of texts(chunks)) {
    bytesRead = read;
    const lines = (held + text).split("\n");
    held = lines.pop() ?? "";
    for (const line of lines) {
      const found = record(line);
      if (found) yield found;
    }
    if (held.length > MOST_CHARACTERS) {
      overlong = true;
      held = "";
    }
  }
  const last = record(held);
  if (last) yield last;
}

function readObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 4180; the first row names the columns. */
async function* csvRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  const parser = csvParser();
  let columns: string[] | undefined;
  let row = 0;
  let bytesRead = 0;
  const record = (cells: string[] | undefined): FileRecord | undefined => {
    if (cells?.length === 1 && cells[0] === "") return undefined;
    if (!columns) {
      columns = headOf(cells);
      return undefined;
    }
    const names = columns;
    const fits = cells !== undefined && cells.length <= names.length;
    const fields = fits && Object.fromEntries(cells.map((cell, at) => [names[at] ?? "", plainCell(cell)]));
    return { row: ++row, bytesRead, fields: fields || undefined };
  };
  for await (const { text, bytesRead: read } of texts(chunks)) {
    bytesRead = read;
    for (const cells of parser.push(text)) {
      const found = record(cells);
      if (found) yield found;
    }
  }
  const last = parser.end();
  const found = last && record(last.cells);
  if (found) yield found;
}

function headOf(cells: string[] | undefined): string[] {
  const names = cells?.map((cell) => cell.trim().toLowerCase()) ?? [];
  if (!names.includes("email") || names.length > MOST_COLUMNS || new Set(names).size < names.length)
    throw new UnreadableFile("The first row must name the columns, each once and `email` among them.");
  return names;
}

/** Without the apostrophe that keeps a spreadsheet from taking a cell for a formula: as `lib/csv.ts` writes it. */
const plainCell = (cell: string) =>
  /^'(?:[\s\p{Cc}]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/u.test(cell) ? cell.slice(1) : cell;

/** Rows that ended in what was pushed; undefined for one that is too long or has a quote where none may be. */
function csvParser() {
  let cells: string[] = [];
  let cell = "";
  let length = 0;
  let broken = false;
  let state: "start" | "plain" | "quoted" | "quote" = "start";
  let begun = false;
  const endCell = () => {
    cells.push(cell);
    cell = "";
    state = "start";
  };
  const endRow = (): string[] | undefined => {
    endCell();
    const row = broken || length > MOST_CHARACTERS ? undefined : cells;
    cells = [];
    length = 0;
    broken = false;
    begun = false;
    return row;
  };
  const take = (character: string) => {
    if (++length <= MOST_CHARACTERS) cell += character;
  };
  function* push(text: string): Generator<string[] | undefined> {
    for (const character of text) {
      if (state === "quoted") {
        if (character === '"') state = "quote";
        else take(character);
      } else if (character === "\n") {
        if (state === "plain" && cell.endsWith("\r")) cell = cell.slice(0, -1);
        yield endRow();
      } else {
        begun = true;
        if (character === ",") {
          // Counted like any other character: a row of nothing but commas is no shorter, and has more cells than any.
          if (++length <= MOST_CHARACTERS) endCell();
          else state = "start";
        } else if (character === "\r" && state !== "plain") continue;
        else if (state === "quote" && character === '"') {
          take(character);
          state = "quoted";
        } else if (state === "start" && character === '"') state = "quoted";
        else {
          if (state === "quote" || character === '"') broken = true;
          take(character);
          state = "plain";
        }
      }
    }
  }
  return {
    push,
    /** The last row, which may have no line's end. */
    end(): { cells: string[] | undefined } | undefined {
      if (!begun && cells.length === 0 && cell === "") return undefined;
      if (state === "quoted") broken = true;
      if (state === "plain" && cell.endsWith("\r")) cell = cell.slice(0, -1);
      return { cells: endRow() };
    },
  };
}
