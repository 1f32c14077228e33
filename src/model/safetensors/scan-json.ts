/** What `JSON.parse` lets pass and a file's header must not have: names given twice, and depth without bound. */
import { CorruptDataError } from "../../base/errors.ts";
import { excerpt } from "../data/excerpt.ts";

const DEPTH_MAX = 32;

/**
 * `text` as JSON whose objects name each key once, nested 32 deep at most. `what` is for messages.
 * @throws CorruptDataError
 */
export function parseStrictJson(what: string, text: string): unknown {
  scanJson(text, new Depth(what));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CorruptDataError(`${what}: expected JSON, found something else`, { cause });
  }
  scanJson(text, new Keys(what));
  return value;
}

interface JsonVisitor {
  /** One of { } [ ] : outside of strings. */
  mark(mark: string): void;
  /** A string with its quotes. */
  string(text: string, from: number, to: number): void;
}

/** Visits the marks and strings of a text, JSON or not, in one pass. */
function scanJson(text: string, visitor: JsonVisitor): void {
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === '"') {
      const end = endOfString(text, at + 1);
      visitor.string(text, at, end);
      at = end - 1;
    } else if ("{}[]:".includes(character)) visitor.mark(character);
  }
}

/** Behind the closing quote of a string whose content begins at `from`; the text's end when there is none. */
function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

class Depth implements JsonVisitor {
  readonly #what: string;
  #depth = 0;

  constructor(what: string) {
    this.#what = what;
  }

  mark(mark: string): void {
    if (mark === "{" || mark === "[") this.#depth += 1;
    if (mark === "}" || mark === "]") this.#depth -= 1;
    if (this.#depth > DEPTH_MAX) {
      throw new CorruptDataError(`${this.#what}: expected JSON nested ${DEPTH_MAX} deep at most, found it deeper`);
    }
  }

  string(): void {}
}

/** The names of the objects that are open; null for a list. */
class Keys implements JsonVisitor {
  readonly #what: string;
  readonly #open: (Set<string> | null)[] = [];
  #last: readonly [string, number, number] = ["", 0, 0];

  constructor(what: string) {
    this.#what = what;
  }

  mark(mark: string): void {
    if (mark === "{") this.#open.push(new Set());
    else if (mark === "[") this.#open.push(null);
    else if (mark === ":") this.#key();
    else this.#open.pop();
  }

  string(text: string, from: number, to: number): void {
    this.#last = [text, from, to];
  }

  #key(): void {
    const [text, from, to] = this.#last;
    const key = JSON.parse(text.slice(from, to)) as string;
    const keys = this.#open.at(-1);
    if (keys?.has(key) === true) {
      throw new CorruptDataError(`${this.#what}: expected each name once, found ${excerpt(key)} twice`);
    }
    keys?.add(key);
  }
}
