import { expect, test } from "vitest";
import { OptionError, UnsupportedError } from "../../../../src/base/errors.ts";
import { decodeImage } from "../../../../src/host/browser/decode-image.ts";
import { imageToTensor } from "../../../../src/model/data/files/image.ts";
import { LineDataset, TokenWindows } from "../../../../src/model/data/files/text-windows.ts";

const image = { width: 2, height: 1, data: Uint8Array.of(255, 0, 51, 255, 0, 102, 255, 0) };

test("pixels become channels of normalized values", () => {
  expect(imageToTensor(image)).toEqual({
    shape: [3, 1, 2],
    data: Float32Array.of(1, 0, 0, 0.4, 0.2, 1),
    dtype: "float32",
  });
  expect(imageToTensor(image, { channels: 4, mean: 0.5, std: [1, 1, 1, 0.5] }).data).toEqual(
    Float32Array.of(0.5, -0.5, -0.5, -0.1, -0.3, 0.5, 1, -1),
  );
  const [first, second] = imageToTensor(image, { channels: 1 }).data;
  expect(first).toBeCloseTo(0.299 + 0.114 * 0.2, 6);
  expect(second).toBeCloseTo(0.587 * 0.4 + 0.114, 6);
});

test("wrong sizes and normalizations are refused, and so is decoding outside of a browser", async () => {
  expect(() => imageToTensor({ ...image, height: 2 })).toThrow(/16 bytes of 2 x 2, found 8/);
  expect(() => imageToTensor(image, { mean: [0.5] })).toThrow(OptionError);
  expect(() => imageToTensor(image, { std: 0 })).toThrow(/std above 0/);
  await expect(decodeImage(new Uint8Array(3))).rejects.toThrow(UnsupportedError);
});

test("windows over tokens are all the full ones, and y is x one token later", () => {
  const tokens = Int32Array.of(0, 1, 2, 3, 4, 5, 6);
  const rows = (windows: TokenWindows): number[][][] =>
    Array.from({ length: windows.length }, (_, index) => {
      const { x, y } = windows.get(index);
      return [[...x.data], [...y.data]];
    });
  expect(rows(new TokenWindows(tokens, { length: 3 }))).toEqual([
    [
      [0, 1, 2],
      [1, 2, 3],
    ],
    [
      [3, 4, 5],
      [4, 5, 6],
    ],
  ]);
  expect(new TokenWindows(tokens, { length: 3, stride: 1 }).length).toBe(4);
  expect(new TokenWindows(tokens, { length: 6 }).length).toBe(1);
  expect(() => new TokenWindows(tokens, { length: 7 })).toThrow(/at least 8 tokens, found 7/);
  expect(() => new TokenWindows(tokens, { length: 0 })).toThrow(OptionError);
  expect(() => new TokenWindows(tokens, { length: 3 }).get(2)).toThrow(OptionError);
});

test("lines are read without their ends, and empty ones are left out", () => {
  const lines = new LineDataset("one\r\ntwo\n\nthree\rfour");
  expect(lines.lines).toEqual(["one", "two", "three", "four"]);
  expect(lines.get(2)).toBe("three");
  expect(() => lines.get(4)).toThrow(OptionError);
});
