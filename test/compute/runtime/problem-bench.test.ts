/** All candidates of a problem give the same bits, which are those of plain loops; on every device. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFloat16 } from "../../../src/base/float16.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import { microProblem, type MicroInput } from "../../../src/compute/compiler/tuning/micro-problem.ts";
import type { Problem } from "../../../src/compute/compiler/tuning/problem.ts";
import type { DeviceTraits } from "../../../src/compute/kernels/device-traits.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import { firstDifference } from "../../../src/compute/runtime/first-difference.ts";
import { ProblemBench } from "../../../src/compute/runtime/problem-bench.ts";
import { testDevices } from "../compiler/devices.ts";
import { evaluateAll } from "../compiler/evaluate.ts";
import { contractions, elementwises } from "../compiler/tuning/random-problem.ts";

/** Names that the problem's kernels offer. */
function candidatesOf(problem: Problem, traits: DeviceTraits): readonly string[] {
  let names: readonly string[] = [];
  const choose = ({ candidates }: { readonly candidates: readonly string[] }): string => {
    names = candidates;
    return "";
  };
  lower(microProblem(problem).outputs, 8, { choices: { choose }, traits });
  return names;
}

function valuesOf({ leaf, bytes }: MicroInput): [Node, number[]] {
  const { buffer } = bytes;
  const count = elementCount(leaf.shape);
  switch (leaf.dtype) {
    case "float32":
      return [leaf, [...new Float32Array(buffer)]];
    case "float16":
      return [leaf, [...decodeFloat16(new Uint16Array(buffer)).subarray(0, count)]];
    case "int32":
      return [leaf, [...new Int32Array(buffer)]];
    default:
      return [leaf, [...new Uint32Array(buffer)]];
  }
}

for (const device of testDevices) {
  const runs = device.name === "reference" ? 25 : 2;
  describe.skipIf(device.missing !== undefined)(`${device.name}${device.missing ? ` (${device.missing})` : ""}`, () => {
    const agree = async (problem: Problem): Promise<void> => {
      const { device: on } = await device.open();
      const bench = new ProblemBench(on, problem);
      const expected = await bench.run(await bench.prepareDefault());
      for (const name of candidatesOf(problem, on.info)) {
        const found = await bench.run((await bench.prepare(name)) ?? []);
        for (const [i, { dtype, shape }] of bench.outputs.entries()) {
          expect(
            firstDifference({ dtype, count: elementCount(shape), tolerance: bench.tolerance }, expected[i], found[i]),
            name,
          ).toBeNull();
        }
      }
      bench.destroy();
    };

    test("all tiles of a product give the same bits", async () => {
      await fc.assert(fc.asyncProperty(contractions(70), agree), { seed: 8, numRuns: runs });
    });

    test("all numbers of elements an invocation give the same bits", async () => {
      const sized = elementwises(4).chain((problem) =>
        fc.constantFrom(4096, 5000, 8194).map((count) => ({ ...problem, count })),
      );
      await fc.assert(fc.asyncProperty(sized, agree), { seed: 9, numRuns: runs });
    });

    test("a product's bits are those of plain loops: its values are exact", async () => {
      const check = async (problem: Problem): Promise<void> => {
        const { device: open } = await device.open();
        const bench = new ProblemBench(open, problem);
        const [bytes] = await bench.run(await bench.prepareDefault());
        const { outputs, inputs } = microProblem(problem);
        const [expected = []] = evaluateAll(outputs, new Map(inputs.map(valuesOf)));
        const found = [...new Float32Array(bytes?.buffer ?? new ArrayBuffer(0))].slice(0, expected.length);
        // A sum of nothing but -0 may be either 0.
        expect(found.map((value) => value + 0)).toEqual(expected.map((value) => value + 0));
        bench.destroy();
      };
      await fc.assert(fc.asyncProperty(contractions(24), check), { seed: 10, numRuns: runs });
    });

    test("a candidate that the problem does not offer is none", async () => {
      const problem: Problem = {
        kind: "elementwise",
        dtype: "float32",
        count: 100,
        loads: 1,
        stores: 1,
        isHeavy: false,
      };
      const { device: on } = await device.open();
      const bench = new ProblemBench(on, problem);
      expect(await bench.prepare("no such candidate")).toBeNull();
      bench.destroy();
    });
  });
}

test("the first difference is named; -0 is 0, and NaN is never right", () => {
  const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(new Float32Array(values).buffer);
  expect(firstDifference({ dtype: "float32", count: 2, tolerance: 0 }, bytes(1, -0), bytes(1, 0))).toBeNull();
  expect(firstDifference({ dtype: "float32", count: 2, tolerance: 0 }, bytes(1, 2), bytes(1, 3))).toBe(
    "element 1: expected 2, found 3",
  );
  expect(firstDifference({ dtype: "float32", count: 1, tolerance: 0 }, bytes(1), bytes(Number.NaN))).toBe(
    "element 0: expected 1, found NaN",
  );
  // Rounded up to whole words, what is behind the last element is nobody's.
  expect(
    firstDifference(
      { dtype: "float16", count: 1, tolerance: 0 },
      new Uint8Array([0, 60, 1, 1]),
      new Uint8Array([0, 60, 9, 9]),
    ),
  ).toBeNull();
});
