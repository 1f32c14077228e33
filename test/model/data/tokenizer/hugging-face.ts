/** What Hugging Face's own library (its version is in the file) says: tokenizer files, texts, their tokens and back. */
import { readFileSync } from "node:fs";

export interface EncodedText {
  readonly text: string;
  /** With the tokens that the file puts around a text, and without. */
  readonly ids: readonly number[];
  readonly plain: readonly number[];
  /** Of `ids`, without special tokens and with them. */
  readonly decoded: string;
  readonly full: string;
}

export interface TokenizerFixture {
  readonly name: string;
  readonly file: { readonly model: { readonly [field: string]: unknown }; readonly [field: string]: unknown };
  readonly cases: readonly EncodedText[];
}

interface TrainedFixture {
  readonly text: string;
  /** A model learned from `text`: 330 tokens, one of them special, pairs seen twice or more. */
  readonly trained: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
  };
}

const [first = "", ...others] = readFileSync(new URL("./hugging-face.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n");

export const trainedFixture: TrainedFixture = JSON.parse(first) as TrainedFixture;

export const tokenizerFixtures: readonly TokenizerFixture[] = others.map(
  (line) => JSON.parse(line) as TokenizerFixture,
);
