/** WGSL cut into tokens to be coloured: enough of the grammar for that, no more. Every character is in some token. */

export type TokenKind = "comment" | "attribute" | "keyword" | "type" | "number" | "call" | "plain";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const KEYWORDS = new Set(
  "alias break case const continue continuing default diagnostic discard else enable false fn for if let loop override requires return struct switch true var while".split(
    " ",
  ),
);
const TYPES =
  /^(?:bool|[iuf]32|f16|vec[234][iufh]?|mat[234]x[234][fh]?|array|atomic|ptr|storage|workgroup|private|function|uniform|read|write|read_write)$/;
const PATTERN =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<attribute>@\w+)|(?<number>\b0[xX][\da-fA-F.]+(?:p[+-]?\d+)?[iufh]?|\b\d[\d.]*(?:[eE][+-]?\d+)?[iufh]?)|(?<word>[A-Za-z_]\w*)(?<open>\s*\()?/g;

/** The tokens of `source`, in order; joined they are `source` again. */
export function wgslTokens(source: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  const add = (kind: TokenKind, text: string): void => {
    const last = tokens.at(-1);
    if (kind === "plain" && last?.kind === "plain") tokens[tokens.length - 1] = { kind, text: last.text + text };
    else if (text !== "") tokens.push({ kind, text });
  };
  for (const match of source.matchAll(PATTERN)) {
    const { comment, attribute, number, word, open = "" } = match.groups ?? {};
    add("plain", source.slice(end, match.index));
    end = match.index + match[0].length;
    if (comment !== undefined) add("comment", comment);
    else if (attribute !== undefined) add("attribute", attribute);
    else if (number !== undefined) add("number", number);
    else if (word !== undefined) {
      add(kindOfWord(word, open !== ""), word);
      add("plain", open);
    }
  }
  add("plain", source.slice(end));
  return tokens;
}

function kindOfWord(word: string, isCalled: boolean): TokenKind {
  if (KEYWORDS.has(word)) return "keyword";
  if (TYPES.test(word)) return "type";
  return isCalled ? "call" : "plain";
}
