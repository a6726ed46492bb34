/**
 * PATCH as RFC 7644 §3.5.2 tells it, sentence by sentence, for a user of a few attributes: nothing of it is shared with the
 * server's own. Where an element is named by its type and is not there, it is made (`NOT_THERE`): the one thing that the
 * server does otherwise than §3.5.2.3 says, since Entra ID cannot be answered noTarget.
 */
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Members = { [name: string]: Json };

export interface Operation {
  readonly op: "add" | "remove" | "replace";
  readonly path?: string;
  readonly value?: Json;
}

/** What is refused, and why. */
export class Refused extends Error {
  constructor(readonly scimType: string) {
    super(scimType);
  }
}

const LISTS = ["emails", "phoneNumbers"];
const OBJECTS = ["name"];

/** @throws Refused: then nothing of it is done */
export function patchByTheBook(user: Members, operations: readonly Operation[]): Members {
  const changed = structuredClone(user);
  for (const operation of operations) {
    // "If omitted, the target location is assumed to be the resource itself": a set of attributes.
    if (operation.path === undefined)
      for (const [path, value] of Object.entries(operation.value as Members))
        applyOne(changed, { op: operation.op, path, value });
    else applyOne(changed, operation);
  }
  return assigned(changed);
}

function applyOne(user: Members, { op, path = "", value = null }: Operation): void {
  const [, name = "", filter, sub] = /^(\w+)(?:\[(.*)\])?(?:\.(\w+))?$/.exec(path) ?? [];
  if (filter !== undefined) return applyToChosen(user, name, filter, sub, { op, value });
  if (sub !== undefined) {
    const object = { ...(user[name] as Members | undefined) };
    if (op === "remove") delete object[sub];
    else object[sub] = value;
    user[name] = object;
  } else if (op === "remove") delete user[name];
  else if (LISTS.includes(name)) {
    const before = (user[name] ?? []) as Json[];
    const given = value as Json[];
    // "If the target location already contains the value specified, no changes SHOULD be made."
    user[name] = op === "replace" ? onePrimary(given) : onePrimary(union(before, given));
  } else if (OBJECTS.includes(name))
    // "Sub-attributes that are not specified in the 'value' parameter are left unchanged."
    user[name] = { ...(user[name] as Members | undefined), ...(value as Members) };
  else user[name] = value;
}

function applyToChosen(
  user: Members,
  name: string,
  filter: string,
  sub: string | undefined,
  { op, value }: { op: Operation["op"]; value: Json },
): void {
  const before = (user[name] ?? []) as Members[];
  const isChosen = before.map((element) => fulfils(element, filter));
  if (op === "remove") {
    user[name] = before.flatMap((element, index) => {
      if (!isChosen[index]) return [element];
      return sub === undefined ? [] : [without(element, sub)];
    });
    return;
  }
  const made = isChosen.includes(true) ? undefined : NOT_THERE(filter, op, sub);
  const change = (element: Members): Members => {
    if (sub !== undefined) return { ...element, [sub]: value };
    // "replace" puts the value there; "add" adds to what is there.
    return op === "replace" ? (value as Members) : { ...element, ...(value as Members) };
  };
  const after = before.map((element, index) => (isChosen[index] ? change(element) : element));
  const touched = [...isChosen];
  if (made) {
    after.push(change(made));
    touched.push(true);
  }
  // RFC 7643 §2.4: "primary" is true once; the one that was just said is the one that is meant.
  const last = after.findLastIndex((element, index) => touched[index] && element["primary"] === true);
  user[name] = after.map((element, index) =>
    last >= 0 && index !== last && element["primary"] === true ? { ...element, primary: false } : element,
  );
}

/** The deviation. `add`, and anything about a sub-attribute, makes the element that the filter describes. */
function NOT_THERE(filter: string, op: Operation["op"], sub: string | undefined): Members {
  if ((op === "replace" && sub === undefined) || filter.includes(" or ")) throw new Refused("noTarget");
  return Object.fromEntries(
    filter.split(" and ").map((part) => {
      const [, attribute = "", text = "null"] = /^(\w+) eq (.+)$/.exec(part) ?? [];
      return [attribute, JSON.parse(text) as Json];
    }),
  );
}

/** Filters of `eq`, joined by `or` of `and`. */
function fulfils(element: Members, filter: string): boolean {
  return filter.split(" or ").some((all) =>
    all.split(" and ").every((part) => {
      const [, attribute = "", text = "null"] = /^(\w+) eq (.+)$/.exec(part) ?? [];
      const wanted = JSON.parse(text) as Json;
      const found = element[attribute];
      return typeof found === "string" && typeof wanted === "string"
        ? found.toLowerCase() === wanted.toLowerCase()
        : found === wanted;
    }),
  );
}

const same = (a: Json, b: Json) => Bun.deepEquals(a, b, true);

function union(before: readonly Json[], given: readonly Json[]): Json[] {
  const all = [...before];
  for (const value of given) if (!all.some((known) => same(known, value))) all.push(value);
  return all;
}

function onePrimary(elements: readonly Json[]): Json[] {
  const last = elements.findLastIndex((element) => (element as Members)["primary"] === true);
  return elements.map((element, index) =>
    index !== last && (element as Members)["primary"] === true
      ? { ...(element as Members), primary: false }
      : element,
  );
}

function without(element: Members, sub: string): Members {
  return Object.fromEntries(Object.entries(element).filter(([name]) => name !== sub));
}

/** RFC 7643 §2.5: what is empty is unassigned. */
function assigned(user: Members): Members {
  const isEmpty = (value: Json) =>
    Array.isArray(value)
      ? value.length === 0
      : typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(user).flatMap(([name, value]): [string, Json][] => {
      const kept = Array.isArray(value) ? value.filter((element) => !isEmpty(element)) : value;
      return isEmpty(kept) ? [] : [[name, kept]];
    }),
  );
}
