import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { ByteTokenizer } from "../../../src/model/data/byte-tokenizer.ts";
import { CharTokenizer } from "../../../src/model/data/char-tokenizer.ts";

test("characters are numbered in ascending order of code points", () => {
  const tokenizer = new CharTokenizer("b\na😀ab");
  expect(tokenizer.characters).toEqual(["\n", "a", "b", "😀"]);
  expect([...tokenizer.encode("ab😀")]).toEqual([1, 2, 3]);
  expect(tokenizer.decode(tokenizer.encode("ba😀\n"))).toBe("ba😀\n");
});

test("an empty text, an unknown character and a wrong token are refused", () => {
  const tokenizer = new CharTokenizer("ab");
  expect(() => new CharTokenizer("")).toThrow(OptionError);
  expect(() => tokenizer.encode("abc")).toThrow(/found "c"/);
  expect(() => tokenizer.decode([2])).toThrow(OptionError);
});

test("bytes hold every text", () => {
  const tokenizer = new ByteTokenizer();
  expect([...tokenizer.encode("é")]).toEqual([0xc3, 0xa9]);
  expect(tokenizer.decode(tokenizer.encode("naïve 😀"))).toBe("naïve 😀");
});
