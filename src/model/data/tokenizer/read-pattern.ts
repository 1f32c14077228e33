/** `{"String": ...}` or `{"Regex": ...}`, as tokenizer files write patterns. */
import type { Fields } from "./json-fields.ts";
import { compilePattern, literalPattern } from "./pattern.ts";

/** The field `pattern` as a global regular expression. @throws CorruptDataError, UnsupportedError */
export function readPattern(fields: Fields): RegExp {
  const pattern = fields.object("pattern");
  const regex = pattern.raw("Regex");
  if (typeof regex === "string") return compilePattern(regex);
  const text = pattern.string("String");
  // An empty text is found nowhere.
  return text === "" ? /(?!)/gu : literalPattern(text);
}
