/**
 * Routes that will go: since when they are deprecated (RFC 9745), until when they are there (RFC 8594), and where to read
 * about it and what to use instead. Declared once, as the route's option `deprecated`, for its answers and its description.
 */
import { Elysia } from "elysia";
import { toEpochSeconds } from "../lib/clock.ts";

export interface Deprecation {
  /** May lie ahead. */
  readonly since: Date;
  /** When the route stops answering: not before it is deprecated (RFC 9745 §4). */
  readonly sunset?: Date;
  /** Of a page that says what to do (`rel="deprecation"`). */
  readonly documentation?: string;
  /** Of what takes its place (`rel="successor-version"`, RFC 5829 §3.2). */
  readonly successor?: string;
}

const noted = new WeakMap<Request, readonly [name: string, value: string][]>();

/** Gives routes of the surface that uses it the option `deprecated`. */
export const deprecation = () =>
  new Elysia({ name: "deprecation" }).macro({
    deprecated(about: Deprecation) {
      const headers = headersOf(about);
      return {
        detail: { deprecated: true },
        // Before the body is looked at, so that a refusal tells of it, too.
        transform({ request }: { request: Request }) {
          noted.set(request, headers);
        },
      };
    },
  });

/** @throws RangeError for a sunset before the deprecation, and for addresses that would end the header field */
function headersOf({ since, sunset, documentation, successor }: Deprecation): [string, string][] {
  if (sunset && sunset < since) throw new RangeError("a route ends before it is deprecated");
  const links = [
    ...(documentation === undefined ? [] : [linkTo(documentation, 'rel="deprecation"; type="text/html"')]),
    ...(successor === undefined ? [] : [linkTo(successor, 'rel="successor-version"')]),
  ];
  return [
    ["deprecation", `@${toEpochSeconds(since)}`],
    // RFC 9110 §5.6.7: GMT, as HTTP writes its dates.
    ...(sunset ? [["sunset", sunset.toUTCString()] satisfies [string, string]] : []),
    ...(links.length > 0 ? [["link", links.join(", ")] satisfies [string, string]] : []),
  ];
}

function linkTo(address: string, parameters: string): string {
  if (!/^[\x21\x23-\x3B\x3D\x3F-\x7E]+$/.test(address)) throw new RangeError("not an address for a Link");
  return `<${address}>; ${parameters}`;
}

/** What the gateway puts on the response to a deprecated route, whoever rendered it. */
export const deprecationHeaders = (request: Request): readonly [name: string, value: string][] =>
  noted.get(request) ?? [];
