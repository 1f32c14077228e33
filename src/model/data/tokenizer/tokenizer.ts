/**
 * Hugging Face's `tokenizer.json` with a BPE model: normalizer, pre-tokenizer, model, post-processor and decoder, as
 * the file says. What a file asks for and is not done here is refused by name.
 *
 * Checked against version 0.23 of its library, with one difference: that one does not leave out special tokens which are
 * looked for in normalized text and change there. `truncation` and `padding` of a file are not applied: lengths are the caller's matter.
 * Source: https://huggingface.co/docs/tokenizers (components; the file is their serialization).
 */
import { CorruptDataError, OptionError } from "../../../base/errors.ts";
import { readAddedToken, TokenFinder } from "./added-tokens.ts";
import type { AddedToken } from "./added-tokens.ts";
import { BpeModel, readBpe } from "./bpe-model.ts";
import { readDecoder } from "./decoders.ts";
import type { Decoder } from "./decoders.ts";
import { Fields } from "./json-fields.ts";
import { readNormalizer } from "./normalizers.ts";
import type { Normalizer } from "./normalizers.ts";
import { readPostProcessor } from "./post-processors.ts";
import type { PostProcessor } from "./post-processors.ts";
import { readPreTokenizer } from "./pre-tokenizers.ts";
import type { PreTokenizer } from "./pre-tokenizers.ts";
import type { Piece } from "./split.ts";

/** Options of `Tokenizer.encode`. */
export interface EncodeOptions {
  /** Put the file's tokens for beginning and end around the text. On by default. */
  readonly addSpecialTokens?: boolean;
}

/** Options of `Tokenizer.decode`. */
export interface DecodeTokensOptions {
  /** Leave out tokens that are no text, such as those for beginning and end. On by default. */
  readonly skipSpecialTokens?: boolean;
}

const WHAT = "tokenizer.json";

/**
 * Byte-pair encoding as a tokenizer.json of Hugging Face says it, with its normalizers, pre-tokenizers, added tokens
 * and decoders.
 */
export class Tokenizer {
  /** One more than the largest token: rows of an embedding. */
  readonly vocabularySize: number;
  readonly #source: unknown;
  readonly #model: BpeModel;
  readonly #added: readonly AddedToken[];
  readonly #tokens = new Map<number, string>();
  readonly #special: ReadonlySet<number>;
  readonly #normalize: Normalizer;
  readonly #preTokenize: PreTokenizer;
  readonly #postProcess: PostProcessor;
  readonly #decode: Decoder;
  readonly #plainFinder: TokenFinder;
  readonly #normalizedFinder: TokenFinder;

  /** From the text of a tokenizer.json, or what it parses to. @throws CorruptDataError, UnsupportedError */
  static fromJson(json: string | object): Tokenizer {
    if (typeof json !== "string") return new Tokenizer(json);
    let parsed: unknown;
    try {
      parsed = JSON.parse(json);
    } catch (cause) {
      throw new CorruptDataError(`${WHAT}: expected JSON, found something else`, { cause });
    }
    return new Tokenizer(parsed);
  }

  private constructor(source: unknown) {
    const fields = new Fields(WHAT, source);
    const step = <T>(name: string, read: (fields: Fields) => T, missing: T): T => {
      const found = fields.objectOrNull(name);
      return found === null ? missing : read(found);
    };
    this.#source = source;
    this.#model = new BpeModel(readBpe(fields.object("model")));
    this.#added = fields.raw("added_tokens") == null ? [] : fields.objects("added_tokens").map(readAddedToken);
    this.#normalize = step<Normalizer>("normalizer", readNormalizer, (text) => text);
    this.#preTokenize = step<PreTokenizer>("pre_tokenizer", readPreTokenizer, (pieces) => [...pieces]);
    this.#postProcess = step<PostProcessor>("post_processor", readPostProcessor, (tokens) => [...tokens]);
    this.#decode = step<Decoder>("decoder", readDecoder, (tokens) => [tokens.join(" ")]);
    for (const [text, token] of this.#model.vocabulary) this.#tokens.set(token, text);
    // What is found in normalized texts is written so too, as Hugging Face's library does.
    for (const { id, content, normalized } of this.#added) {
      this.#tokens.set(id, normalized ? this.#normalize(content) : content);
    }
    this.#special = new Set(this.#added.filter(({ isSpecial }) => isSpecial).map(({ id }) => id));
    const [plain, normalized] = [false, true].map((is) => this.#added.filter((token) => token.normalized === is));
    this.#plainFinder = new TokenFinder(plain ?? [], ({ content }) => content);
    this.#normalizedFinder = new TokenFinder(normalized ?? [], ({ content }) => this.#normalize(content));
    let size = 0;
    for (const token of this.#tokens.keys()) size = Math.max(size, token + 1);
    this.vocabularySize = size;
  }

  /** Tokens of `text`. A half of a surrogate pair counts as U+FFFD. */
  encode(text: string, { addSpecialTokens = true }: EncodeOptions = {}): Int32Array<ArrayBuffer> {
    const tokens: number[] = [];
    for (const part of this.#plainFinder.find(text.replace(/\p{Surrogate}/gu, "\ufffd"))) {
      if ("token" in part) tokens.push(part.token);
      else this.#encodeText(part.text, part.from === 0, tokens);
    }
    return Int32Array.from(addSpecialTokens ? this.#postProcess(tokens) : tokens);
  }

  /** The text of `tokens`. @throws OptionError for a number that is no token */
  decode(tokens: Iterable<number>, { skipSpecialTokens = true }: DecodeTokensOptions = {}): string {
    const texts: string[] = [];
    for (const token of tokens) {
      const text = this.#tokens.get(token);
      if (text === undefined) {
        throw new OptionError(`decode: expected tokens below ${this.vocabularySize}, found ${token}`);
      }
      if (!(skipSpecialTokens && this.#special.has(token))) texts.push(text);
    }
    return this.#decode(texts).join("");
  }

  /** The token written `text`, such as "<|endoftext|>"; undefined for none. */
  tokenOf(text: string): number | undefined {
    return this.#added.find(({ content }) => content === text)?.id ?? this.#model.vocabulary.get(text);
  }

  /** How `token` is written; undefined for none. */
  textOf(token: number): string | undefined {
    return this.#tokens.get(token);
  }

  /** What it was made from: `JSON.stringify(tokenizer)` is a tokenizer.json. */
  toJSON(): unknown {
    return this.#source;
  }

  /** Text without the tokens that are found as they are. */
  #encodeText(text: string, isFirst: boolean, tokens: number[]): void {
    for (const part of this.#normalizedFinder.find(this.#normalize(text))) {
      if ("token" in part) {
        tokens.push(part.token);
        continue;
      }
      if (part.text === "") continue;
      const piece: Piece = { text: part.text, isFirst: isFirst && part.from === 0 };
      for (const word of this.#preTokenize([piece])) {
        for (const token of this.#model.encode(word.text)) tokens.push(token);
      }
    }
  }
}
