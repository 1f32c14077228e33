import { expect, test } from "vitest";
import type { DType } from "../../../src/compute/layout/dtype.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { deviceRuntime } from "./test-runtimes.ts";

const ORDER: readonly DType[] = ["bool", "uint32", "int32", "float16", "float32"];

test("two dtypes promote to the later one, in either order, for arithmetic, where and comparisons", () => {
  withRuntime(deviceRuntime(), () => {
    for (const [i, a] of ORDER.entries()) {
      for (const [j, b] of ORDER.entries()) {
        const [x, y] = [tensor([1, 0], { dtype: a }), tensor([1, 1], { dtype: b })];
        const later = ORDER[Math.max(i, j)];
        if (later !== "bool") expect(x.add(y).dtype, `${a} + ${b}`).toBe(later);
        expect(x.gt(0).where(x, y).dtype, `${a} or ${b}`).toBe(later);
        expect(x.eq(y).dtype).toBe("bool");
        expect(x.div(y).dtype, `${a} / ${b}`).toBe(later === "float16" || later === "float32" ? later : "float32");
      }
    }
  });
});

test("a plain number takes the tensor's dtype, unless it is a fraction with integers", () => {
  withRuntime(deviceRuntime(), () => {
    const sum = (dtype: DType, by: number): DType => tensor([1, 0], { dtype }).add(by).dtype;
    expect(ORDER.map((dtype) => sum(dtype, 2))).toEqual(["int32", "uint32", "int32", "float16", "float32"]);
    expect(ORDER.map((dtype) => sum(dtype, 0.5))).toEqual(["float32", "float32", "float32", "float16", "float32"]);
  });
});
