import fc from "fast-check";
import { expect, test } from "vitest";
import { CorruptDataError, OptionError, UnsupportedError } from "../../../../src/base/errors.ts";
import { BpeModel } from "../../../../src/model/data/tokenizer/bpe-model.ts";
import type { BpeParts } from "../../../../src/model/data/tokenizer/bpe-model.ts";
import { Tokenizer } from "../../../../src/model/data/tokenizer/tokenizer.ts";
import { trainBpe } from "../../../../src/model/data/tokenizer/train-bpe.ts";
import { tokenizerFixtures, trainedFixture } from "./hugging-face.ts";

const SEED = 20_260_411;

test.each(tokenizerFixtures)("$name encodes and decodes as Hugging Face's library does", ({ file, cases }) => {
  const tokenizer = Tokenizer.fromJson(JSON.stringify(file));
  for (const { text, ids, plain, decoded, full } of cases) {
    expect([...tokenizer.encode(text)], text).toEqual(ids);
    expect([...tokenizer.encode(text, { addSpecialTokens: false })], text).toEqual(plain);
    expect(tokenizer.decode(ids), text).toBe(decoded);
    expect(tokenizer.decode(ids, { skipSpecialTokens: false }), text).toBe(full);
  }
});

test("a tokenizer learned from a text is the one that Hugging Face's trainer learns", () => {
  const { text, trained } = trainedFixture;
  const tokenizer = trainBpe(text, { vocabularySize: 330, specialTokens: ["<|endoftext|>"] });
  const { model } = tokenizer.toJSON() as { model: { vocab: Record<string, number>; merges: unknown[] } };
  expect(model.vocab).toEqual(trained.vocab);
  expect(model.merges).toEqual(trained.merges.map((merge) => (typeof merge === "string" ? merge.split(" ") : merge)));
  expect(tokenizer.vocabularySize).toBe(Object.keys(trained.vocab).length);
});

test("any text comes back from the tokens of a learned tokenizer, and from its file", () => {
  const tokenizer = trainBpe(trainedFixture.text, { vocabularySize: 400, specialTokens: ["<end>"] });
  const copy = Tokenizer.fromJson(JSON.stringify(tokenizer));
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: fc.constantFrom("the ", "fire", "'s", " ", "\n", "12", "é", "😀", "\ufeff"), maxLength: 40 }),
  );
  const check = fc.property(texts, (text) => {
    const tokens = tokenizer.encode(text);
    expect(tokenizer.decode(tokens)).toBe(text);
    expect(copy.encode(text)).toEqual(tokens);
  });
  fc.assert(check, { numRuns: 500, seed: SEED });
});

test("texts with special tokens in them: found whole, left out when read, and half a surrogate pair is U+FFFD", () => {
  const tokenizer = trainBpe(["a b", "a b"], { vocabularySize: 258, specialTokens: ["<end>"] });
  const tokens = tokenizer.encode("a<end>b");
  expect([...tokens]).toContain(tokenizer.tokenOf("<end>"));
  expect(tokens).toHaveLength(3);
  expect(tokenizer.textOf(0)).toBe("<end>");
  expect(tokenizer.decode(tokens)).toBe("ab");
  expect(tokenizer.decode(tokens, { skipSpecialTokens: false })).toBe("a<end>b");
  expect(tokenizer.decode(tokenizer.encode("x\ud83d"))).toBe("x\ufffd");
  expect(() => tokenizer.decode([258])).toThrow(OptionError);
  expect(() => trainBpe("x", { vocabularySize: 256, specialTokens: ["<end>"] })).toThrow(/at least 257.*found 256/);
  expect(() => trainBpe("x", { vocabularySize: 300, specialTokens: ["a"] })).toThrow(OptionError);
});

/** Merges one pair at a time: the lowest rank, and of its places the leftmost. */
function bruteForce(word: string, merges: readonly (readonly [string, string])[]): string[] {
  const parts = [...word];
  for (;;) {
    let best = -1;
    let bestRank = Infinity;
    for (let at = 0; at + 1 < parts.length; at++) {
      const rank = merges.findLastIndex(([left, right]) => left === parts[at] && right === parts[at + 1]);
      if (rank >= 0 && rank < bestRank) [best, bestRank] = [at, rank];
    }
    if (best < 0) return parts;
    parts.splice(best, 2, (parts[best] ?? "") + (parts[best + 1] ?? ""));
  }
}

/** Random merges of tokens that there are by then. Each makes a token of its own, as a trainer's do. */
const mergeLists = fc
  .array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { maxLength: 25 })
  .map((picks): [string, string][] => {
    const tokens = ["a", "b", "c"];
    const merges: [string, string][] = [];
    for (const [first, second] of picks) {
      const left = tokens[first % tokens.length] ?? "";
      const right = tokens[second % tokens.length] ?? "";
      if (tokens.includes(left + right) || left.length + right.length > 12) continue;
      tokens.push(left + right);
      merges.push([left, right]);
    }
    return merges;
  });

function partsOf(merges: readonly (readonly [string, string])[], texts: readonly string[]): BpeParts {
  const all = [...new Set([...texts, ...merges.map(([left, right]) => left + right)])];
  const vocabulary = new Map(all.map((text, id) => [text, id]));
  const flags = { fusesUnknown: false, byteFallback: false, ignoreMerges: false };
  return { vocabulary, merges, unknown: null, ...flags, prefix: "", suffix: "" };
}

test("merging by a queue gives what merging one pair at a time gives", () => {
  const words = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 40 });
  const check = fc.property(mergeLists, words, (merges, word) => {
    const parts = partsOf(merges, ["a", "b", "c"]);
    const texts = [...parts.vocabulary.keys()];
    const tokens = new BpeModel(parts).encode(word);
    expect(tokens.map((token) => texts[token])).toEqual(bruteForce(word, merges));
  });
  fc.assert(check, { numRuns: 1_000, seed: SEED });
});

test("a word of 300,000 characters is encoded in a few seconds", { timeout: 10_000 }, () => {
  const merges: [string, string][] = Array.from({ length: 12 }, (_, i) => ["a".repeat(2 ** i), "a".repeat(2 ** i)]);
  const model = new BpeModel(partsOf(merges, ["a"]));
  const tokens = model.encode("a".repeat(300_000));
  // 300,000 = 73 * 4,096 + 992, and 992 = 512 + 256 + 128 + 64 + 32.
  expect(tokens).toHaveLength(73 + 5);
});

const [gpt2] = tokenizerFixtures;

/** The first fixture with parts replaced. */
function changed(parts: Readonly<Record<string, unknown>>, model: Readonly<Record<string, unknown>> = {}): object {
  return { ...gpt2?.file, ...parts, model: { ...gpt2?.file.model, ...model } };
}

test.each([
  [changed({ pre_tokenizer: { type: "UnicodeScripts" } }), /pre_tokenizer\.type: .*found "UnicodeScripts"/],
  [changed({ normalizer: { type: "Precompiled", precompiled_charsmap: "" } }), /normalizer\.type.*Precompiled/],
  [changed({ decoder: { type: "CTC" } }), /decoder\.type.*CTC/],
  [changed({ post_processor: { type: "Other" } }), /post_processor\.type.*Other/],
  [changed({}, { type: "Unigram" }), /model\.type: expected the model BPE, found "Unigram"/],
  [changed({}, { dropout: 0.1 }), /model\.dropout: expected none, found 0.1/],
  [
    changed({ pre_tokenizer: { type: "Split", pattern: { Regex: "(a)\\1" }, behavior: "Isolated", invert: false } }),
    /pattern: .*\\\\1/,
  ],
  [
    changed({ pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Other", invert: false } }),
    /behavior: expected one of Removed.*found "Other"/,
  ],
] as const)("%# what is not done here is refused by name", (file, message) => {
  expect(() => Tokenizer.fromJson(file)).toThrow(UnsupportedError);
  expect(() => Tokenizer.fromJson(file)).toThrow(message);
});

test.each([
  ["{", /expected JSON/],
  ["[]", /tokenizer\.json: expected an object, found \[\]/],
  [changed({}, { vocab: { a: -1 } }), /vocab: "a": expected a number.*found -1/],
  [changed({}, { merges: ["a b c"] }), /merges\.0: expected two tokens, found "a b c"/],
  [changed({}, { merges: [["zz", "yy"]] }), /expected the token "zzyy", found none/],
  [changed({}, { unk_token: "nowhere" }), /unk_token: expected a token of the vocabulary, found "nowhere"/],
  [changed({ added_tokens: [{ id: -3, content: "x" }] }), /added_tokens\.0\.id: expected a whole number, found -3/],
  [changed({ normalizer: 3 }), /normalizer: expected an object, found 3/],
  [
    changed({ post_processor: { type: "TemplateProcessing", single: [{ SpecialToken: { id: "x" } }] } }),
    /special_tokens: expected a token "x", found none/,
  ],
] as const)("%# a broken file is one clear error", (file, message) => {
  expect(() => Tokenizer.fromJson(file)).toThrow(CorruptDataError);
  expect(() => Tokenizer.fromJson(file)).toThrow(message);
});

test("steps nested without end are refused", () => {
  let normalizer: object = { type: "NFC" };
  for (let depth = 0; depth < 10_000; depth++) normalizer = { type: "Sequence", normalizers: [normalizer] };
  expect(() => Tokenizer.fromJson(changed({ normalizer }))).toThrow(/nested 16 deep at most/);
});
