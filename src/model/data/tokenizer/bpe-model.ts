/**
 * Byte-pair encoding of words: pairs of tokens are merged, the earliest learned pair first, until no merge applies.
 * n log n in a word's characters.
 *
 * Source: Sennrich, Haddow & Birch, "Neural Machine Translation of Rare Words with Subword Units" (ACL 2016).
 */
import { CorruptDataError, OptionError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";
import type { Fields } from "./json-fields.ts";
import { MergeQueue, PLACES_MAX } from "./merge-queue.ts";

/** Tokens are below this: a pair of them fits into a double exactly. */
const TOKENS_MAX = 2 ** 26;
/** Words that come again are looked up: this many, up to this length. */
const CACHED_WORDS = 20_000;
const CACHED_LENGTH = 64;

/** The fields of a file's model, checked. */
export interface BpeParts {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  readonly unknown: string | null;
  /** Unknown characters in a row are one unknown token. */
  readonly fusesUnknown: boolean;
  /** Unknown characters become tokens of their bytes, such as <0xE2>. */
  readonly byteFallback: boolean;
  /** Words that are in the vocabulary are taken whole. */
  readonly ignoreMerges: boolean;
  /** In front of tokens that do not begin a word. */
  readonly prefix: string;
  /** Behind tokens that end a word. */
  readonly suffix: string;
}

/** The `model` of a tokenizer file. @throws CorruptDataError, UnsupportedError for other models than BPE */
export function readBpe(fields: Fields): BpeParts {
  if (fields.string("type", "BPE") !== "BPE") throw fields.unsupported("type", "the model BPE");
  const dropout = fields.raw("dropout");
  if (dropout != null && dropout !== 0) throw fields.unsupported("dropout", "none");
  const vocabulary = new Map<string, number>();
  for (const [token, id] of fields.object("vocab").entries()) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= TOKENS_MAX) {
      throw new CorruptDataError(
        `${fields.path}.vocab: ${excerpt(token)}: expected a number from 0 to below 2^26, found ${excerpt(id)}`,
      );
    }
    vocabulary.set(token, id as number);
  }
  const unknown = fields.stringOrNull("unk_token");
  if (unknown !== null && !vocabulary.has(unknown)) throw fields.wrong("unk_token", "a token of the vocabulary");
  return {
    vocabulary,
    merges: mergesOf(fields),
    unknown,
    fusesUnknown: fields.boolean("fuse_unk", false),
    byteFallback: fields.boolean("byte_fallback", false),
    ignoreMerges: fields.boolean("ignore_merges", false),
    prefix: fields.stringOrNull("continuing_subword_prefix") ?? "",
    suffix: fields.stringOrNull("end_of_word_suffix") ?? "",
  };
}

/** `"a b"` or `["a", "b"]` each. */
function mergesOf(fields: Fields): (readonly [string, string])[] {
  const merges: (readonly [string, string])[] = [];
  fields.list("merges").forEach((merge, at) => {
    if (typeof merge === "string" && merge.startsWith("#version")) return;
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
    if (!isPair) {
      throw new CorruptDataError(`${fields.path}.merges.${at}: expected two tokens, found ${excerpt(merge)}`);
    }
    merges.push(pair as unknown as [string, string]);
  });
  return merges;
}

export class BpeModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly #parts: BpeParts;
  /** Rank of a pair's merge, by left * stride + right. */
  readonly #ranks = new Map<number, number>();
  /** The token that each merge makes, by rank. */
  readonly #results: Int32Array;
  readonly #stride: number;
  readonly #unknown: number | null;
  readonly #cache = new Map<string, readonly number[]>();

  /** @throws CorruptDataError for merges of tokens, or into tokens, that the vocabulary lacks */
  constructor(parts: BpeParts) {
    const { vocabulary, merges, unknown, prefix } = parts;
    this.vocabulary = vocabulary;
    this.#parts = parts;
    let stride = 1;
    for (const id of vocabulary.values()) stride = Math.max(stride, id + 1);
    this.#stride = stride;
    this.#unknown = unknown === null ? null : this.#tokenOf(unknown);
    this.#results = new Int32Array(merges.length);
    merges.forEach(([left, right], rank) => {
      // The inner prefix of the right token is inside of the word now.
      const inner = prefix !== "" && right.startsWith(prefix) ? right.slice(prefix.length) : right;
      this.#results[rank] = this.#tokenOf(left + inner);
      this.#ranks.set(this.#tokenOf(left) * stride + this.#tokenOf(right), rank);
    });
  }

  /** The tokens of one word. @throws OptionError for a word of more than 2^24 characters */
  encode(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const tokens = this.#encode(word);
    if (word.length <= CACHED_LENGTH) {
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, tokens);
    }
    return tokens;
  }

  #encode(word: string): readonly number[] {
    const whole = this.#parts.ignoreMerges ? this.vocabulary.get(word) : undefined;
    return whole === undefined ? this.#merged(this.#characters(word)) : [whole];
  }

  /** A token for each character, or what stands for those that have none. */
  #characters(word: string): number[] {
    const { fusesUnknown, byteFallback, prefix, suffix } = this.#parts;
    const tokens: number[] = [];
    /** An unknown character waits for whether more follow. */
    let isWaiting = false;
    let at = 0;
    for (const character of word) {
      const isLast = at + character.length === word.length;
      const text = `${at > 0 ? prefix : ""}${character}${isLast ? suffix : ""}`;
      at += character.length;
      const token = this.vocabulary.get(text);
      const bytes = token === undefined && byteFallback ? this.#bytes(text) : null;
      if (token !== undefined) {
        if (isWaiting && this.#unknown !== null) tokens.push(this.#unknown);
        isWaiting = false;
        tokens.push(token);
      } else if (bytes !== null) tokens.push(...bytes);
      else if (this.#unknown !== null) {
        if (isWaiting && !fusesUnknown) tokens.push(this.#unknown);
        isWaiting = true;
      }
    }
    if (isWaiting && this.#unknown !== null) tokens.push(this.#unknown);
    return tokens;
  }

  /** Tokens of all bytes of `text`, or null where one is missing. */
  #bytes(text: string): number[] | null {
    const tokens: number[] = [];
    for (const byte of new TextEncoder().encode(text)) {
      const token = this.vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
      if (token === undefined) return null;
      tokens.push(token);
    }
    return tokens;
  }

  #merged(tokens: number[]): readonly number[] {
    const { length } = tokens;
    if (length < 2 || this.#ranks.size === 0) return tokens;
    if (length > PLACES_MAX)
      throw new OptionError(`encode: expected words of at most 2^24 characters, found ${length}`);
    // A list in place: a token that has been merged into the one before it is -1.
    const next = Int32Array.from({ length }, (_, at) => at + 1);
    const previous = Int32Array.from({ length }, (_, at) => at - 1);
    const queue = new MergeQueue();
    const consider = (left: number): void => {
      const right = next[left] ?? length;
      if (right >= length) return;
      const rank = this.#rank(tokens, left, right);
      if (rank !== undefined) queue.push(rank, left);
    };
    for (let at = 0; at < length - 1; at++) consider(at);
    while (!queue.isEmpty) {
      const [rank, left] = queue.pop();
      const right = next[left] ?? length;
      if (tokens[left] === -1 || right >= length) continue;
      const result = this.#results[rank] ?? 0;
      const now = this.#rank(tokens, left, right);
      // The pair that was queued may be gone: another merge took one of the two.
      if (now === undefined || this.#results[now] !== result) continue;
      tokens[left] = result;
      tokens[right] = -1;
      const after = next[right] ?? length;
      next[left] = after;
      if (after < length) previous[after] = left;
      const before = previous[left] ?? -1;
      if (before >= 0) consider(before);
      consider(left);
    }
    return tokens.filter((token) => token !== -1);
  }

  #rank(tokens: readonly number[], left: number, right: number): number | undefined {
    return this.#ranks.get((tokens[left] ?? 0) * this.#stride + (tokens[right] ?? 0));
  }

  #tokenOf(text: string): number {
    const token = this.vocabulary.get(text);
    if (token === undefined) {
      throw new CorruptDataError(`tokenizer.json: model: expected the token ${excerpt(text)}, found none`);
    }
    return token;
  }
}
