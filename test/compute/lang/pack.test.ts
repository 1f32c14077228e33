/** Packed kernels do what their parts do: equal ones, flat ones of any length, and others, over shared slabs. */
import { expect, test } from "vitest";
import { add, bitcast, f32, i32, less, load, multiply, remainder } from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { isPackable, packKernels, type PackPart } from "../../../src/compute/lang/pack.ts";
import { store, when } from "../../../src/compute/lang/statements.ts";
import { runKernel } from "./run-kernel.ts";

const SLAB_WORDS = [4096, 2048];

/** out[i] = 2 a[i] + s[at] */
function flat(length: number, at: number): Kernel {
  const i = invocationOf(length);
  const value = add(multiply(load(1, i, "f32"), f32(2)), load(2, i32(at), "f32"));
  return kernel(`flat ${length}`, [length, length, 8], length, [store(0, i, value)]);
}

/** out[i] = the bits of a[i + 1], of ints; the last one of the array is read again. */
function shifted(length: number): Kernel {
  const i = invocationOf(length);
  const body = [store(0, i, bitcast("f32", load(1, add(i, i32(1)), "i32")))];
  return kernel(`shifted ${length}`, [length, length], length, body, "i32");
}

/** out[i] for even i only. */
function even(length: number): Kernel {
  const i = invocationOf(length);
  return kernel(`even ${length}`, [length, length], length, [
    when(less(remainder(i, i32(2)), i32(1)), [store(0, i, load(1, i, "f32"))]),
  ]);
}

function kernel(
  name: string,
  lengths: readonly number[],
  invocations: number,
  body: Kernel["body"],
  type: "f32" | "i32" = "f32",
): Kernel {
  const bindings = lengths.map((length, i) =>
    i === 0 ? ({ type: "f32", access: "write", length } as const) : ({ type, access: "read", length } as const),
  );
  return { name, bindings, invocations, body };
}

test("packed kernels store what each stores alone, and nothing else", () => {
  const kernels = [flat(300, 3), shifted(70), flat(1, 5), even(70), flat(257, 3), shifted(70), flat(64, 0)];
  const words = [0, 0];
  const parts = kernels.map((part): PackPart => {
    const places = part.bindings.map(({ length }, i) => {
      const slab = i === 0 ? 0 : 1 - (i % 2);
      const word = words[slab] ?? 0;
      words[slab] = word + Math.ceil(length / 64) * 64;
      return { slab, word };
    });
    return { kernel: part, places };
  });
  const slabs = SLAB_WORDS.map((length) => Float32Array.from({ length }, (_, i) => Math.sin(i)));
  const expected = slabs.map((slab) => slab.slice());
  for (const { kernel: part, places } of parts) {
    const arrays = part.bindings.map(({ type, length }, i) => {
      const { slab = 0, word = 0 } = places[i] ?? {};
      const floats = (expected[slab] as Float32Array<ArrayBuffer>).subarray(word, word + length);
      return type === "i32" ? new Int32Array(floats.buffer, floats.byteOffset, length) : floats;
    });
    runKernel(part, arrays);
  }
  const packed = packKernels("all", parts, SLAB_WORDS);
  const bound = packed.slabs.map((slab) => slabs[slab] as Float32Array<ArrayBuffer>);
  runKernel(packed.kernel, [packed.table, ...bound]);
  expect(slabs).toEqual(expected);
});

test("kernels that do the same share their code, whatever their lengths", () => {
  const places = [0, 64, 128].map((word) => ({ slab: 0, word }));
  const size = (count: number): number => {
    const parts = Array.from({ length: count }, (_, i) => ({ kernel: flat(10 + i, i), places }));
    return JSON.stringify(packKernels("flat", parts, SLAB_WORDS).kernel.body).length;
  };
  expect(size(8)).toBeLessThan(1.1 * size(1));
});

test("half floats and arrays that are read and written are not packed", () => {
  const own = flat(8, 0);
  expect(isPackable(own)).toBe(true);
  for (const binding of [
    { type: "f16", access: "read", length: 8 },
    { type: "f32", access: "readWrite", length: 8 },
  ] as const) {
    expect(isPackable({ ...own, bindings: [...own.bindings, binding] })).toBe(false);
  }
});
