/** Small tokenizer files that together have every kind of step. */

const merges = [["h", "e"], "t he", ["th", "e"], "i n"]; // "th" is in the vocabulary.

const characters = [..."abcdefghijklmnopqrstuvwxyzTĠ▁0123456789.,'<>/"];
const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);

function vocabularyOf(texts: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(["<unk>", "<s>", "</s>", ...texts].map((text, id) => [text, id]));
}

const plain = vocabularyOf([...characters, "he", "th", "the", "in"]);
const withBytes = vocabularyOf([...characters, ...bytes, "he", "th", "the", "in"]);
const added = [
  { id: 1, content: "<s>", single_word: false, lstrip: false, rstrip: true, normalized: false, special: true },
  { id: 2, content: "</s>", single_word: false, lstrip: true, rstrip: false, normalized: false, special: true },
  { id: 9_000, content: "know", single_word: true, lstrip: false, rstrip: false, normalized: true, special: false },
];

/** Patterns of well-known tokenizers, and of all the syntax that is translated. */
export const patterns: readonly string[] = [
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s",
  "[[:alpha:]&&[^aeiou]]+|\\w\\b|(?<=a)b|(?>ab|a)c|\\x41\\u0042\\x{43}|a{2,3}?|^x$|\\A\\z\\R.",
];

const ids = { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } };

export const tokenizerFiles: readonly object[] = [
  {
    added_tokens: added,
    normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Lowercase" }, { type: "Strip" }] },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: patterns[0] }, behavior: "Isolated", invert: false },
        { type: "Digits", individual_digits: true },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: {
      type: "Sequence",
      processors: [
        { type: "ByteLevel" },
        {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
          special_tokens: ids,
        },
      ],
    },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", unk_token: "<unk>", fuse_unk: true, ignore_merges: true, vocab: plain, merges },
  },
  {
    added_tokens: added,
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true },
    post_processor: { type: "RobertaProcessing", sep: ["</s>", 2], cls: ["<s>", 1] },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { Regex: "▁+" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: { type: "BPE", dropout: null, unk_token: null, byte_fallback: true, vocab: withBytes, merges },
  },
  {
    normalizer: { type: "BertNormalizer", lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: { type: "BPE", unk_token: "<unk>", end_of_word_suffix: "", vocab: plain, merges: [] },
  },
];
