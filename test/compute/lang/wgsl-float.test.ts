import { expect, test } from "vitest";
import { wgslFloat } from "../../../src/compute/lang/wgsl-functions.ts";

test("the largest float32 is printed so that WGSL can represent it", () => {
  expect(wgslFloat(3.4028234663852886e38)).toBe("0x1.fffffep+127f");
  expect(wgslFloat(-3.4028234663852886e38)).toBe("(-0x1.fffffep+127f)");
});

test("a printed literal reads back as the same float32", () => {
  for (const value of [0.1, -1.5, 1e-40, 16777217, 3.4e38, 2 ** -149].map(Math.fround)) {
    expect(Math.fround(Number(wgslFloat(value).replace(/[()f]/g, "")))).toBe(value);
  }
});
