/** Cutting a text into the words that the model sees: the `pre_tokenizer` of a tokenizer file. */
import { GPT2_PATTERN, toByteCharacters } from "./byte-level.ts";
import type { Fields } from "./json-fields.ts";
import { readPattern } from "./read-pattern.ts";
import { behaviorOf, splitPieces } from "./split.ts";
import type { Piece } from "./split.ts";

export type PreTokenizer = (pieces: readonly Piece[]) => Piece[];

const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const WORDS_AND_MARKS = new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, "gu");
const SPACES = /\p{White_Space}/gu;
/** Unicode's punctuation, and all of ASCII's, symbols included. */
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu;

/** @throws CorruptDataError, UnsupportedError for a type that is not done here */
export function readPreTokenizer(fields: Fields): PreTokenizer {
  switch (fields.string("type")) {
    case "Sequence": {
      const steps = fields.objects("pretokenizers").map(readPreTokenizer);
      return (pieces) => steps.reduce<Piece[]>((value, step) => step(value), [...pieces]);
    }
    case "ByteLevel":
      return byteLevel(fields.boolean("add_prefix_space", true), fields.boolean("use_regex", true));
    case "Split": {
      const pattern = readPattern(fields);
      const options = { behavior: behaviorOf(fields), invert: fields.boolean("invert", false) };
      return (pieces) => splitPieces(pieces, pattern, options);
    }
    case "Whitespace":
      return (pieces) => splitPieces(pieces, WORDS_AND_MARKS, { behavior: "Removed", invert: true });
    case "WhitespaceSplit":
      return (pieces) => splitPieces(pieces, SPACES, { behavior: "Removed" });
    case "Digits": {
      const behavior = fields.boolean("individual_digits", false) ? "Isolated" : "Contiguous";
      return (pieces) => splitPieces(pieces, /\p{N}/gu, { behavior });
    }
    case "Punctuation": {
      const behavior = behaviorOf(fields, "Isolated");
      return (pieces) => splitPieces(pieces, PUNCTUATION, { behavior });
    }
    case "BertPreTokenizer":
      return (pieces) =>
        splitPieces(splitPieces(pieces, SPACES, { behavior: "Removed" }), PUNCTUATION, { behavior: "Isolated" });
    case "CharDelimiterSplit": {
      const delimiter = fields.character("delimiter");
      const pattern = new RegExp(`\\u{${(delimiter.codePointAt(0) ?? 0).toString(16)}}`, "gu");
      return (pieces) => splitPieces(pieces, pattern, { behavior: "Removed" });
    }
    case "Metaspace":
      return metaspace(fields);
    case "FixedLength": {
      const length = fields.count("length", 5);
      if (length === 0) throw fields.wrong("length", "at least 1");
      return (pieces) => pieces.flatMap((piece) => chunked(piece, length));
    }
    default:
      throw fields.unsupported("type", "a pre-tokenizer that is done here");
  }
}

function byteLevel(addPrefixSpace: boolean, useRegex: boolean): PreTokenizer {
  return (pieces) => {
    const prefixed = addPrefixSpace
      ? pieces.map((piece) => (piece.text.startsWith(" ") ? piece : { ...piece, text: ` ${piece.text}` }))
      : pieces;
    const words = useRegex ? splitPieces(prefixed, GPT2_PATTERN, { behavior: "Isolated" }) : prefixed;
    return words.map(({ text, isFirst }) => ({ text: toByteCharacters(text), isFirst }));
  };
}

/** Where a space goes in front of a text that has none. */
export type PrependScheme = "always" | "first" | "never";

/** `prepend_scheme`, or what older files say in its place. */
export function prependSchemeOf(fields: Fields): PrependScheme {
  const scheme = fields.string("prepend_scheme", "always");
  if (scheme !== "always" && scheme !== "first" && scheme !== "never") {
    throw fields.unsupported("prepend_scheme", "always, first or never");
  }
  return fields.boolean("add_prefix_space", true) ? scheme : "never";
}

function metaspace(fields: Fields): PreTokenizer {
  const mark = fields.character("replacement", "\u2581");
  const scheme = prependSchemeOf(fields);
  const splits = fields.boolean("split", true);
  const marks = new RegExp(`\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`, "gu");
  return (pieces) => {
    const marked = pieces.map(({ text, isFirst }) => {
      const replaced = text.replaceAll(" ", () => mark);
      const isPrepended = scheme === "always" || (scheme === "first" && isFirst);
      return { text: isPrepended && !replaced.startsWith(mark) ? mark + replaced : replaced, isFirst };
    });
    return splits ? splitPieces(marked, marks, { behavior: "MergedWithNext" }) : marked;
  };
}

function chunked({ text, isFirst }: Piece, length: number): Piece[] {
  const characters = [...text];
  const count = Math.ceil(characters.length / length);
  return Array.from({ length: count }, (_, i) => ({
    text: characters.slice(i * length, (i + 1) * length).join(""),
    isFirst: isFirst && i === 0,
  }));
}
