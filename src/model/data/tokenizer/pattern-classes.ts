/** Classes of characters, as sources for regular expressions with flag v. Each works inside of a class too. */

const POSIX_WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
/** Outside of brackets, Latin-1's small digits and fractions count too: Oniguruma has a table of its own for Latin-1. */
const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u00b2\\u00b3\\u00b9\\u00bc-\\u00be]";

/** By Unicode, as Oniguruma has them. */
const LETTERS: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  d: "\\p{Nd}",
  w: WORD,
  h: "[0-9a-fA-F]",
};

/** Names that JavaScript does not have. */
const NAMED: Readonly<Record<string, string>> = {
  alnum: "[\\p{Alphabetic}\\p{Nd}]",
  alpha: "\\p{Alphabetic}",
  ascii: "[\\u0000-\\u007f]",
  blank: "[\\t\\p{Zs}]",
  cntrl: "\\p{Cc}",
  digit: "\\p{Nd}",
  lower: "\\p{Lowercase}",
  punct: "\\p{P}",
  space: "\\p{White_Space}",
  upper: "\\p{Uppercase}",
  word: WORD,
  xdigit: "[0-9a-fA-F]",
};

/** The class of \s, \d, \w, \h and, negated, of their capitals; null for other letters. */
export function classOfLetter(letter: string): string | null {
  if (letter === "N") return "[^\\n]";
  if (letter === "O") return "[\\s\\S]";
  const lower = letter.toLowerCase();
  const found = Object.hasOwn(LETTERS, lower) ? LETTERS[lower] : undefined;
  if (found === undefined) return null;
  return letter === lower ? found : `[^${found}]`;
}

/** Names that mean something else in brackets. */
const BRACKETED: Readonly<Record<string, string>> = { punct: "[\\p{P}\\p{S}]", word: POSIX_WORD };

/** The class of [:name:]; null for an unknown one. */
export function bracketClass(name: string, isNegated: boolean): string | null {
  const found = Object.hasOwn(BRACKETED, name) ? BRACKETED[name] : Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  if (found === undefined) return null;
  return isNegated ? `[^${found}]` : found;
}

/** The class of \p{name}: a general category, a script, or a POSIX name. Null for an unknown one. */
export function propertyClass(name: string, isNegated: boolean): string | null {
  const lower = name.toLowerCase();
  if (Object.hasOwn(NAMED, lower)) return isNegated ? `[^${NAMED[lower]}]` : (NAMED[lower] ?? null);
  for (const property of [name, `Script=${name}`]) {
    const source = `\\${isNegated ? "P" : "p"}{${property}}`;
    if (isExpression(source)) return source;
  }
  return null;
}

/** `character` as itself, in and outside of classes. */
export function quoted(character: string): string {
  if (/^[0-9A-Za-z]$/.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Letters that another one is a case of, besides what its own upper and lower case say. */
const FOLDED: readonly (readonly string[])[] = [
  ["s", "S", "\u017f"],
  ["k", "K", "\u212a"],
  ["å", "Å", "\u212b"],
];

/** All characters that differ from `character` by case alone, itself included. */
export function caseVariants(character: string): string[] {
  const folded = FOLDED.find((letters) => letters.includes(character)) ?? [];
  const cased = [character, character.toLowerCase(), character.toUpperCase(), ...folded];
  return [...new Set(cased.filter((variant) => [...variant].length === 1))];
}

function isExpression(source: string): boolean {
  try {
    return new RegExp(source, "v").source !== "";
  } catch {
    return false;
  }
}
