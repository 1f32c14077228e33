/**
 * Patterns of tokenizer files, which are Oniguruma's, as JavaScript's regular expressions (flag v).
 *
 * Differences that matter are translated: classes by Unicode's properties, possessive quantifiers and atomic groups by
 * look-ahead, (?i: ) by the letters' other cases, ^ and $ at every line. Refused by name: back-references, and
 * repetitions of what can itself match in several ways, on which a matcher may take time without bound.
 *
 * Source: https://github.com/kkos/oniguruma/blob/master/doc/RE
 */
import { UnsupportedError } from "../../../base/errors.ts";
import { bracketClass, caseVariants, classOfLetter, propertyClass, quoted } from "./pattern-classes.ts";

const LENGTH_MAX = 10_000;
const DEPTH_MAX = 50;
const REPEAT_MAX = 1_000;

/** What has been translated. */
interface Part {
  /** Works as one atom: a quantifier may follow. */
  readonly source: string;
  /** Matches exactly one character: `source` works inside of a class. */
  readonly isSingle: boolean;
  /** May match in several ways at one place. */
  readonly isVariable: boolean;
}

interface Mode {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

/** The regular expression, with flags g and v. @throws UnsupportedError naming what cannot be translated */
export function compilePattern(pattern: string): RegExp {
  if (pattern.length > LENGTH_MAX) {
    throw new UnsupportedError(`pattern: expected at most ${LENGTH_MAX} characters, found ${pattern.length}`);
  }
  const { source } = new Translation(pattern).whole();
  try {
    return new RegExp(source, "gv");
  } catch (cause) {
    throw new UnsupportedError(`pattern: expected one that can be translated, found ${JSON.stringify(pattern)}`, {
      cause,
    });
  }
}

/** The regular expression that finds `text` itself. */
export function literalPattern(text: string): RegExp {
  return new RegExp([...text].map(quoted).join(""), "gv");
}

class Translation {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #atomics = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  whole(): Part {
    const part = this.#alternatives({ ignoreCase: false, dotAll: false });
    if (this.#at < this.#characters.length) throw this.#refused("a balanced pattern");
    return part;
  }

  #alternatives(mode: Mode): Part {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw this.#refused(`groups nested ${DEPTH_MAX} deep at most`);
    const options = [this.#sequence(mode)];
    while (this.#takes("|")) options.push(this.#sequence(mode));
    this.#depth -= 1;
    const [only] = options;
    if (options.length === 1 && only !== undefined) return only;
    // One character of several: a class, which has one way to match.
    if (options.every(({ isSingle }) => isSingle)) {
      return { source: `[${options.map(({ source }) => source).join("")}]`, isSingle: true, isVariable: false };
    }
    const source = `(?:${options.map((option) => option.source).join("|")})`;
    return { source, isSingle: false, isVariable: true };
  }

  #sequence(start: Mode): Part {
    let mode = start;
    const parts: Part[] = [];
    for (;;) {
      const next = this.#characters[this.#at];
      if (next === undefined || next === "|" || next === ")") break;
      const changed = this.#modeChange(mode);
      if (changed !== null) {
        mode = changed;
        continue;
      }
      parts.push(this.#quantified(this.#atom(mode)));
    }
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    const source = `(?:${parts.map((part) => part.source).join("")})`;
    return { source, isSingle: false, isVariable: parts.some(({ isVariable }) => isVariable) };
  }

  /** (?i) and its like, which hold to the end of the group. */
  #modeChange(mode: Mode): Mode | null {
    const [whole, letters] = this.#matches(/^\(\?([im-]+)\)/);
    if (whole === undefined || letters === undefined) return null;
    this.#at += whole.length;
    return changedMode(mode, letters);
  }

  #atom(mode: Mode): Part {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group(mode);
      case "[":
        return single(this.#class(mode));
      case ".":
        return single(mode.dotAll ? "[\\s\\S]" : "[^\\n]");
      case "^":
        return anchor("(?<![^\\n])");
      case "$":
        return anchor("(?![^\\n])");
      case "\\":
        return this.#escape(mode);
      case "*":
      case "+":
      case "?":
        throw this.#refused("something to repeat");
      default:
        return single(literal(character, mode));
    }
  }

  #group(mode: Mode): Part {
    const [whole = "", kind = ""] = this.#matches(/^\?(#[^)]*\)|[:=!>]|<[=!]|<[A-Za-z]\w*>|[im-]+:)/);
    if (this.#characters[this.#at] === "?" && whole === "") throw this.#refused("a known kind of group");
    this.#at += [...whole].length;
    if (kind.startsWith("#")) return anchor("(?:)");
    const inner = this.#alternatives(kind.endsWith(":") ? changedMode(mode, kind.slice(0, -1)) : mode);
    if (!this.#takes(")")) throw this.#refused("a closing parenthesis");
    if (kind === ">") return this.#atomic(inner);
    const isLook = kind === "=" || kind === "!" || kind === "<=" || kind === "<!";
    return isLook ? anchor(`(?${kind}${inner.source})`) : inner;
  }

  /** What matches once stays so: look-ahead keeps the first way, and a reference repeats it. */
  #atomic({ source }: Part): Part {
    const name = `a${this.#atomics++}`;
    return { source: `(?:(?=(?<${name}>${source}))\\k<${name}>)`, isSingle: false, isVariable: false };
  }

  #quantified(part: Part): Part {
    const bounds = this.#bounds();
    if (bounds === null) return part;
    const { min, max, isInterval } = bounds;
    if (max !== Infinity && max > REPEAT_MAX) throw this.#refused(`at most ${REPEAT_MAX} repetitions`);
    if (max > 1 && part.isVariable) throw this.#refused("repetitions of what matches in one way");
    const text = min === 0 && max === 1 ? "?" : max === Infinity ? `{${min},}` : `{${min},${max}}`;
    const greedy = { source: `(?:${part.source}${text})`, isSingle: false, isVariable: min !== max };
    if (this.#takes("?")) {
      if (isInterval && min === max) throw this.#refused("no {n}?");
      return { ...greedy, source: `(?:${part.source}${text}?)` };
    }
    // Of intervals, a plus repeats once more; of one character repeated that is the same as without an upper bound.
    if (this.#takes("+")) {
      if (!isInterval) return this.#atomic(greedy);
      if (min > 1 || !part.isSingle) throw this.#refused("no repetition of a repetition");
      return { ...greedy, source: `(?:${part.source}{${min},})`, isVariable: true };
    }
    if (this.#bounds() !== null) throw this.#refused("no repetition of a repetition");
    return greedy;
  }

  #bounds(): { min: number; max: number; isInterval: boolean } | null {
    if (this.#takes("*")) return { min: 0, max: Infinity, isInterval: false };
    if (this.#takes("+")) return { min: 1, max: Infinity, isInterval: false };
    if (this.#takes("?")) return { min: 0, max: 1, isInterval: false };
    const [whole, low, comma, high] = this.#matches(/^\{(\d{0,6})(,?)(\d{0,6})\}/);
    if (whole === undefined || (low === "" && high === "")) return null;
    this.#at += whole.length;
    const min = Number(low);
    const max = comma === "" ? min : high === "" ? Infinity : Number(high);
    if (min > max || min > REPEAT_MAX) throw this.#refused("bounds in order");
    return { min, max, isInterval: true };
  }

  #escape(mode: Mode): Part {
    const character = this.#next();
    const word = classOfLetter("w") ?? "";
    switch (character) {
      case "A":
        return anchor("(?<![\\s\\S])");
      case "z":
        return anchor("(?![\\s\\S])");
      case "Z":
        return anchor("(?=\\n?(?![\\s\\S]))");
      case "b":
        return anchor(`(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`);
      case "B":
        return anchor(`(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`);
      case "R":
        return this.#atomic({
          source: "(?:\\r\\n|[\\n\\v\\f\\r\\u0085\\u2028\\u2029])",
          isSingle: false,
          isVariable: true,
        });
      default:
        return single(this.#escapedClass(character, mode));
    }
  }

  /** An escape that stands for one character of several or for one. */
  #escapedClass(character: string, mode: Mode): string {
    const known = classOfLetter(character);
    if (known !== null) return known;
    if (character === "p" || character === "P") return this.#property(character === "P", mode);
    return literal(this.#escapedCharacter(character), mode);
  }

  #escapedCharacter(character: string): string {
    const control = "tnvfrae".indexOf(character);
    if (control >= 0) return "\t\n\v\f\r\x07\x1b"[control] ?? "";
    const [whole, braced, hex] = this.#matches(
      character === "u" ? /^(?!)|^()([0-9a-fA-F]{4})/ : /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/,
    );
    if ((character === "x" || character === "u") && whole !== undefined) {
      this.#at += whole.length;
      const point = Number.parseInt(hex ?? braced ?? "", 16);
      if (point <= 0x10ffff) return String.fromCodePoint(point);
    }
    if (character === "0") return "\0";
    if (/[\p{L}\p{N}]/u.test(character)) throw this.#refused(`a known escape, not \\${character}`);
    return character;
  }

  #property(isNegated: boolean, { ignoreCase }: Mode): string {
    const [whole, inverse, name] = this.#matches(/^\{(\^?)([\w =-]{1,40})\}/);
    if (whole === undefined || name === undefined) throw this.#refused("a property in braces");
    this.#at += whole.length;
    const found = propertyClass(name, isNegated !== (inverse === "^"));
    if (found === null || (ignoreCase && /^(Lu|Ll|Lt|Upper|Lower)/.test(name))) {
      throw this.#refused(`a known property, not ${name}`);
    }
    return found;
  }

  /** Behind "[". */
  #class(mode: Mode): string {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw this.#refused(`classes nested ${DEPTH_MAX} deep at most`);
    const isNegated = this.#takes("^");
    const sets: string[] = [];
    let items = "";
    for (;;) {
      if (this.#characters[this.#at] === undefined) throw this.#refused("a closing bracket");
      if (this.#takes("]")) break;
      if (this.#matches(/^&&/)[0] !== undefined) {
        this.#at += 2;
        sets.push(items);
        items = "";
      } else items += this.#classItem(mode);
    }
    sets.push(items);
    this.#depth -= 1;
    if (sets.includes("")) throw this.#refused("classes that are not empty");
    const body = sets.length === 1 ? items : sets.map((set) => `[${set}]`).join("&&");
    return `[${isNegated ? "^" : ""}${body}]`;
  }

  #classItem(mode: Mode): string {
    const [posix, inverse, name] = this.#matches(/^\[:(\^?)(\w{1,12}):\]/);
    if (posix !== undefined && name !== undefined) {
      this.#at += posix.length;
      const found = bracketClass(name, inverse === "^");
      if (found === null) throw this.#refused(`a known class, not ${name}`);
      return found;
    }
    if (this.#takes("[")) return this.#class(mode);
    const low = this.#classCharacter(mode);
    const isRange = this.#characters[this.#at] === "-" && ![undefined, "]"].includes(this.#characters[this.#at + 1]);
    if (!isRange || low.character === null) return low.source;
    this.#at += 1;
    const high = this.#classCharacter(mode);
    if (high.character === null || low.character > high.character) throw this.#refused("ranges of characters in order");
    return range(low.character, high.character, mode) ?? this.#outOfReach();
  }

  /** A character's code point, and its translation; null for what stands for several. */
  #classCharacter(mode: Mode): { readonly source: string; readonly character: number | null } {
    const character = this.#next();
    if (character !== "\\") return { source: literal(character, mode), character: character.codePointAt(0) ?? 0 };
    const letter = this.#next();
    if (letter === "b") return { source: "\\u0008", character: 8 };
    if ("pP".includes(letter) || classOfLetter(letter) !== null) {
      return { source: this.#escapedClass(letter, mode), character: null };
    }
    const escaped = this.#escapedCharacter(letter);
    return { source: literal(escaped, mode), character: escaped.codePointAt(0) ?? 0 };
  }

  #outOfReach(): never {
    throw this.#refused("short ranges where cases do not matter");
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw this.#refused("more of it");
    this.#at += 1;
    return character;
  }

  #takes(character: string): boolean {
    const isNext = this.#characters[this.#at] === character;
    if (isNext) this.#at += 1;
    return isNext;
  }

  /** What `expression` finds in the next few characters, all of which are in the Basic Multilingual Plane. */
  #matches(expression: RegExp): (string | undefined)[] {
    return expression.exec(this.#characters.slice(this.#at, this.#at + 64).join("")) ?? [];
  }

  #refused(expected: string): UnsupportedError {
    const pattern = this.#pattern.length > 80 ? `${this.#pattern.slice(0, 80)}...` : this.#pattern;
    return new UnsupportedError(`pattern: expected ${expected}, found ${JSON.stringify(pattern)} at ${this.#at}`);
  }
}

function single(source: string): Part {
  return { source, isSingle: true, isVariable: false };
}

function anchor(source: string): Part {
  return { source, isSingle: false, isVariable: false };
}

function changedMode(mode: Mode, letters: string): Mode {
  const [on = "", off = ""] = letters.split("-");
  const set = (letter: string, before: boolean): boolean =>
    off.includes(letter) ? false : on.includes(letter) || before;
  return { ignoreCase: set("i", mode.ignoreCase), dotAll: set("m", mode.dotAll) };
}

function literal(character: string, { ignoreCase }: Mode): string {
  if (!ignoreCase) return quoted(character);
  const variants = caseVariants(character);
  return variants.length === 1 ? quoted(character) : `[${variants.map(quoted).join("")}]`;
}

/** Null for a range too long to look up each letter's other cases. */
function range(low: number, high: number, { ignoreCase }: Mode): string | null {
  const plain = `${quoted(String.fromCodePoint(low))}-${quoted(String.fromCodePoint(high))}`;
  if (!ignoreCase) return plain;
  if (high - low > 256) return null;
  let source = plain;
  for (let point = low; point <= high; point++)
    source += literal(String.fromCodePoint(point), { ignoreCase, dotAll: false });
  return source;
}
