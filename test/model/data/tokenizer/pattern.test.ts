import { expect, test } from "vitest";
import { UnsupportedError } from "../../../../src/base/errors.ts";
import { compilePattern } from "../../../../src/model/data/tokenizer/pattern.ts";

function found(pattern: string, text: string): string[] {
  return Array.from(text.matchAll(compilePattern(pattern)), ([match]) => match);
}

test.each([
  // White space is Unicode's: U+0085 is in, the byte-order mark is not.
  [String.raw`\s`, "a\u0085\ufeff\u2003", ["\u0085", "\u2003"]],
  [String.raw`\w+`, "añ_1٣ ⅷ-", ["añ_1٣", "ⅷ"]],
  [String.raw`\w+|[[:word:]]`, "½Ⓐ\u0301 ²", ["½Ⓐ\u0301", "²"]],
  [String.raw`[[:punct:]]+|\p{Punct}`, "€+! a", ["€+!"]],
  [String.raw`[^\w\s]`, "a b!?", ["!", "?"]],
  [String.raw`\d`, "1٣x", ["1", "٣"]],
  [String.raw`\h+`, "xfFg9", ["fF", "9"]],
  ["^a", "ab\nab\rab", ["a", "a"]],
  ["b$", "ab\nab\rab", ["b", "b"]],
  [String.raw`\Ab|b\z`, "bab", ["b", "b"]],
  ["(?i:ks)|X", "KS kſ Ks x", ["KS", "kſ", "Ks"]],
  ["(?i)[a-c]+", "aBCd", ["aBC"]],
  ["a?+a", "aa a", ["aa"]],
  ["(?>a|ab)c", "abc ac", ["ac"]],
  [".+", "ab\ncd", ["ab", "cd"]],
  ["(?m:a.b)", "a\nb", ["a\nb"]],
  [String.raw`\p{Han}+|\p{^L}`, "漢字a1", ["漢字", "1"]],
  ["[[:alpha:]&&[^aeiou]]+", "abcd", ["bcd"]],
  [String.raw`[\]\-a]+`, "x]-a", ["]-a"]],
  ["a{,2}b", "aaab", ["aab"]],
  ["a{x", "a{x", ["a{x"]],
  [String.raw`\x41\x{1F600}é`, "A😀é", ["A😀é"]],
  [String.raw`a\b`, "ab a", ["a"]],
  ["(?<=a)b|(?<!a)c(?!d)", "ab ac c cd", ["b", "c"]],
  ["(?:x|y|[0-9])+", "axy1b", ["xy1"]],
  ["(?#none)a", "a", ["a"]],
] as [string, string, string[]][])("%s finds what Oniguruma's syntax says", (pattern, text, matches) => {
  expect(found(pattern, text)).toEqual(matches);
});

test.each([
  "(a+)+",
  "(a|ab)*",
  "(a?){30}a",
  "(a)\\1",
  "\\k<x>",
  "a**",
  "a{2}{3}",
  "(a",
  "a)",
  "[a",
  "[]",
  "*a",
  "(?P<x>a)",
  "\\p{Nonsense}",
  "a{1,100000}",
  "[b-a]",
  "\\y",
  "(".repeat(100),
  "a".repeat(20_000),
])("%s is refused", (pattern) => {
  expect(() => compilePattern(pattern)).toThrow(UnsupportedError);
});
