/**
 * Learning a byte-level BPE tokenizer from a text: the most frequent pair becomes a token, again and again. Among pairs
 * that are equally frequent the one of the smaller tokens wins, so that the same text gives the same tokenizer anywhere.
 */
import { OptionError } from "../../../base/errors.ts";
import { byteCharacters, GPT2_PATTERN, toByteCharacters } from "./byte-level.ts";
import { PairHeap } from "./pair-heap.ts";
import { Tokenizer } from "./tokenizer.ts";

/** Options of `trainBpe`. */
export interface TrainBpeOptions {
  /** Tokens in all: 256 bytes, the special ones, and as many merges as fit and are found. */
  readonly vocabularySize: number;
  /** First in the vocabulary, never part of a merge, left out by `decode`. */
  readonly specialTokens?: readonly string[];
  /** Pairs that are seen less often stay apart; 2 by default. */
  readonly minFrequency?: number;
}

/**
 * A tokenizer as GPT-2's: any text has tokens, and they decode to that very text. Takes some seconds a megabyte, all in
 * one go: use a worker for large texts. @throws OptionError
 */
export function trainBpe(texts: string | Iterable<string>, options: TrainBpeOptions): Tokenizer {
  const { vocabularySize, specialTokens = [], minFrequency = 2 } = options;
  const alphabet = [...byteCharacters()].sort((a, b) => (a < b ? -1 : 1));
  const first = [...specialTokens, ...alphabet];
  if (!Number.isInteger(vocabularySize) || vocabularySize < first.length) {
    throw new OptionError(
      `trainBpe: expected a vocabularySize of at least ${first.length} (bytes and special tokens), found ${vocabularySize}`,
    );
  }
  if (specialTokens.includes("") || new Set(first).size !== first.length) {
    throw new OptionError("trainBpe: expected special tokens that differ and are no single byte, found others");
  }
  const tokens = new Map(first.map((text, id) => [text, id]));
  const words = wordsOf(typeof texts === "string" ? [texts] : texts, tokens);
  const merges = learned(words, [...first], { vocabularySize, minFrequency: Math.max(1, minFrequency) });
  for (const [left, right] of merges) tokens.set(left + right, tokens.get(left + right) ?? tokens.size);
  return Tokenizer.fromJson(fileOf(tokens, merges, specialTokens));
}

interface Word {
  tokens: number[];
  readonly count: number;
}

function wordsOf(texts: Iterable<string>, tokens: ReadonlyMap<string, number>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.replace(/\p{Surrogate}/gu, "\ufffd").matchAll(GPT2_PATTERN)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return Array.from(counts, ([word, count]) => {
    return { tokens: Array.from(toByteCharacters(word), (character) => tokens.get(character) ?? 0), count };
  });
}

/** A pair of tokens as one number. */
const STRIDE = 2 ** 26;

/** Where pairs are, and how often. */
class Pairs {
  readonly heap: PairHeap = new PairHeap();
  readonly #words: readonly Word[];
  readonly #counts = new Map<number, number>();
  readonly #places = new Map<number, Set<number>>();

  constructor(words: readonly Word[]) {
    this.#words = words;
    words.forEach((_, at) => this.count(at, 1));
    for (const [pair, count] of this.#counts) this.heap.push(count, pair);
  }

  /** Adds the pairs of a word, or takes them away. Returns them. */
  count(at: number, sign: 1 | -1): number[] {
    const { tokens, count } = this.#words[at] as Word;
    const pairs: number[] = [];
    for (let i = 0; i + 1 < tokens.length; i++) {
      const pair = (tokens[i] ?? 0) * STRIDE + (tokens[i + 1] ?? 0);
      pairs.push(pair);
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + sign * count);
      if (sign === -1) continue;
      const places = this.#places.get(pair) ?? new Set();
      this.#places.set(pair, places.add(at));
    }
    return pairs;
  }

  countOf(pair: number): number {
    return this.#counts.get(pair) ?? 0;
  }

  /** Words that have or had the pair. */
  placesOf(pair: number): Iterable<number> {
    return this.#places.get(pair) ?? [];
  }

  /** The most frequent pair, and the smallest of those; null for none. */
  best(): { readonly pair: number; readonly count: number } | null {
    for (;;) {
      const top = this.heap.pop();
      if (top === null) return null;
      // Counts fall unseen by the heap; a pair that has become rarer is put back where it belongs.
      const count = this.countOf(top.pair);
      if (count === top.count) return top;
      if (count > 0) this.heap.push(count, top.pair);
    }
  }
}

function learned(
  words: readonly Word[],
  texts: string[],
  { vocabularySize, minFrequency }: { readonly vocabularySize: number; readonly minFrequency: number },
): [string, string][] {
  const pairs = new Pairs(words);
  const ids = new Map(texts.map((text, id) => [text, id]));
  const merges: [string, string][] = [];
  while (texts.length < vocabularySize) {
    const best = pairs.best();
    if (best === null || best.count < minFrequency) break;
    const [left, right] = [Math.floor(best.pair / STRIDE), best.pair % STRIDE];
    const [leftText, rightText] = [texts[left] ?? "", texts[right] ?? ""];
    const text = leftText + rightText;
    const result = ids.get(text) ?? texts.length;
    if (result === texts.length) texts.push(text);
    ids.set(text, result);
    merges.push([leftText, rightText]);
    merge(words, pairs, { pair: best.pair, left, right, result });
  }
  return merges;
}

interface Merge {
  readonly pair: number;
  readonly left: number;
  readonly right: number;
  readonly result: number;
}

function merge(words: readonly Word[], pairs: Pairs, { pair, left, right, result }: Merge): void {
  const changed = new Set<number>();
  for (const at of pairs.placesOf(pair)) {
    const word = words[at] as Word;
    pairs.count(at, -1);
    const merged: number[] = [];
    for (let i = 0; i < word.tokens.length; i++) {
      const isPair = word.tokens[i] === left && word.tokens[i + 1] === right;
      merged.push(isPair ? result : (word.tokens[i] ?? 0));
      if (isPair) i += 1;
    }
    word.tokens = merged;
    for (const now of pairs.count(at, 1)) {
      if (Math.floor(now / STRIDE) === result || now % STRIDE === result) changed.add(now);
    }
  }
  for (const now of changed) pairs.heap.push(pairs.countOf(now), now);
}

/** A tokenizer.json. */
function fileOf(
  tokens: ReadonlyMap<string, number>,
  merges: readonly (readonly [string, string])[],
  specialTokens: readonly string[],
): object {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens),
      merges,
    },
  };
}
