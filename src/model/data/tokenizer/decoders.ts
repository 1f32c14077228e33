/** Making text of tokens again: the `decoder` of a tokenizer file. */
import { bytesOfToken } from "./byte-level.ts";
import { concatBytes } from "../../../base/bytes.ts";
import type { Fields } from "./json-fields.ts";
import { prependSchemeOf } from "./pre-tokenizers.ts";
import { readPattern } from "./read-pattern.ts";

/** Tokens to strings that are joined in the end. */
export type Decoder = (tokens: readonly string[]) => string[];

/** @throws CorruptDataError, UnsupportedError for a type that is not done here */
export function readDecoder(fields: Fields): Decoder {
  switch (fields.string("type")) {
    case "Sequence": {
      const steps = fields.objects("decoders").map(readDecoder);
      return (tokens) => steps.reduce<string[]>((value, step) => step(value), [...tokens]);
    }
    case "ByteLevel":
      return (tokens) => [new TextDecoder("utf-8", { ignoreBOM: true }).decode(concatBytes(tokens.map(bytesOfToken)))];
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Replace": {
      const pattern = readPattern(fields);
      const content = fields.string("content");
      return (tokens) => tokens.map((token) => token.replace(pattern, () => content));
    }
    case "Strip":
      return strip(fields.character("content", " "), fields.count("start", 0), fields.count("stop", 0));
    case "Metaspace": {
      const mark = fields.character("replacement", "\u2581");
      const first = prependSchemeOf(fields) === "never" ? " " : "";
      return (tokens) => tokens.map((token, at) => token.replaceAll(mark, () => (at === 0 ? first : " ")));
    }
    case "BPEDecoder": {
      const suffix = fields.string("suffix", "</w>");
      return (tokens) =>
        tokens.map((token, at) => token.replaceAll(suffix, () => (at === tokens.length - 1 ? "" : " ")));
    }
    case "WordPiece":
      return wordPiece(fields.string("prefix", "##"), fields.boolean("cleanup", true));
    default:
      throw fields.unsupported("type", "a decoder that is done here");
  }
}

/** Tokens such as <0xE2> in a row are bytes of UTF-8; bytes that are none become U+FFFD each. */
function byteFallback(tokens: readonly string[]): string[] {
  const out: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    try {
      out.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)));
    } catch {
      for (let i = 0; i < bytes.length; i++) out.push("\ufffd");
    }
    bytes = [];
  };
  for (const token of tokens) {
    const [, hex] = /^<0x([0-9A-Fa-f]{2})>$/.exec(token) ?? [];
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else {
      flush();
      out.push(token);
    }
  }
  flush();
  return out;
}

/** Takes up to `start` of `content` off the beginning of each token, and up to `stop` off its end. */
function strip(content: string, start: number, stop: number): Decoder {
  return (tokens) =>
    tokens.map((token) => {
      const characters = [...token];
      let from = 0;
      while (from < start && characters[from] === content) from += 1;
      let to = characters.length;
      while (characters.length - to < stop && to > from && characters[to - 1] === content) to -= 1;
      return characters.slice(from, to).join("");
    });
}

/** Spaces that English does not have. */
const CLEANUPS: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function wordPiece(prefix: string, cleans: boolean): Decoder {
  return (tokens) =>
    tokens.map((token, at) => {
      const isInner = prefix !== "" && token.startsWith(prefix);
      const text = at === 0 ? token : isInner ? token.slice(prefix.length) : ` ${token}`;
      return cleans ? CLEANUPS.reduce((value, [from, to]) => value.replaceAll(from, to), text) : text;
    });
}
