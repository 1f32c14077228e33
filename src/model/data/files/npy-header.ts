/** The header of a `.npy` file: a Python dictionary of three known keys, and nothing else. */
import { CorruptDataError, UnsupportedError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

const TOKEN = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d+)L?|(True|False)|([{}():,[\]]))/y;

interface Token {
  readonly kind: "string" | "number" | "bool" | "mark";
  readonly text: string;
}

/** @throws CorruptDataError for another syntax; UnsupportedError for arrays of records */
export function parseNpyHeader(text: string): NpyHeader {
  const tokens = tokensOf(text.trim());
  let at = 0;
  const next = (kind: Token["kind"], mark?: string): string => {
    const token = tokens[at++];
    if (token?.kind !== kind || (mark !== undefined && token.text !== mark)) {
      throw malformed(`${mark ?? kind}`, token?.text ?? "its end");
    }
    return token.text;
  };
  const isMark = (mark: string): boolean => tokens[at]?.kind === "mark" && tokens[at]?.text === mark;
  const found = new Map<string, string | boolean | number[]>();
  next("mark", "{");
  while (!isMark("}")) {
    const key = next("string");
    next("mark", ":");
    if (found.has(key)) throw malformed("each key once", key);
    if (key === "descr" && isMark("[")) {
      throw new UnsupportedError("readNpy: expected an array of numbers, found one of records");
    }
    found.set(key, key === "shape" ? shape() : key === "fortran_order" ? next("bool") === "True" : next("string"));
    if (!isMark("}")) next("mark", ",");
  }
  next("mark", "}");
  if (at !== tokens.length) throw malformed("its end", tokens[at]?.text ?? "");
  function shape(): number[] {
    const sizes: number[] = [];
    next("mark", "(");
    while (!isMark(")")) {
      sizes.push(Number(next("number")));
      if (!isMark(")")) next("mark", ",");
    }
    next("mark", ")");
    return sizes;
  }
  return headerOf(found);
}

function headerOf(found: ReadonlyMap<string, string | boolean | number[]>): NpyHeader {
  const descr = found.get("descr");
  const fortranOrder = found.get("fortran_order");
  const shape = found.get("shape");
  const isWhole = typeof descr === "string" && typeof fortranOrder === "boolean" && Array.isArray(shape);
  if (!isWhole || found.size !== 3) throw malformed("descr, fortran_order and shape", [...found.keys()].join(", "));
  if (!shape.every(Number.isSafeInteger)) throw malformed("sizes below 2^53", excerpt(shape));
  return { descr, fortranOrder, shape };
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw malformed("a Python dictionary", text.slice(at, at + 20));
    const [, single, double, number, bool, mark] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (bool !== undefined) tokens.push({ kind: "bool", text: bool });
    else if (mark !== undefined) tokens.push({ kind: "mark", text: mark });
    else tokens.push({ kind: "string", text: single ?? double ?? "" });
  }
  return tokens;
}

function malformed(expected: string, found: string): CorruptDataError {
  return new CorruptDataError(`readNpy: expected ${expected} in the header, found ${excerpt(found)}`);
}
