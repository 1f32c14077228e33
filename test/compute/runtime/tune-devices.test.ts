/** Tuning for real, on every device: short, of two kernels. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { tune, tuningTable } from "../../../src/compute/runtime/tune.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { CompiledFunction } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { testDevices } from "../compiler/devices.ts";

/** The operands are too small to have a choice of their own. */
const [ROWS, INNER, COLUMNS] = [96, 40, 100];

for (const { name, missing, open } of testDevices) {
  describe.skipIf(missing !== undefined)(`${name}${missing ? ` (${missing})` : ""}`, () => {
    test("two kernels are tuned; results stay the same sums, and a plan gives the same bits every time", async () => {
      const { device } = await open();
      const runtime = createRuntime(device);
      const random = new Random("tuned results");
      const matrix = (rows: number, columns: number): Tensor =>
        tensor(Float32Array.from({ length: rows * columns }, () => random.uniform() * 2 - 1)).reshape([rows, columns]);
      const [a, b] = withRuntime(runtime, () => [matrix(ROWS, INNER), matrix(INNER, COLUMNS)] as const);
      const step = (): CompiledFunction<string, Tensor[]> =>
        compile(() => {
          const product = a.matmul(b);
          return [product, product.mul(0.5).tanh().add(product.transpose(0, 1).reshape([ROWS, COLUMNS]))];
        }, { runtime }); // prettier-ignore
      const valuesOf = async (plan: CompiledFunction<string, Tensor[]>): Promise<number[][]> => {
        const results = await plan();
        return await Promise.all(results.map(async (result) => [...(await result.data())]));
      };
      const before = step();
      const first = await valuesOf(before);
      const report = await tune(runtime, { budgetMs: 60_000 });
      expect(report).toMatchObject({ waiting: 0, isDeviceLost: false });
      const rows = tuningTable(runtime);
      expect(rows.map(({ kind }) => kind).sort()).toEqual(
        name === "wasm" ? ["contraction"] : ["contraction", "elementwise"],
      );
      for (const { candidates, winner } of rows) {
        expect(candidates.map(({ rejection }) => rejection)).toEqual(candidates.map(() => null));
        expect(candidates.map(({ name: candidate }) => candidate)).toContain(winner);
      }
      const after = step();
      const tuned = await valuesOf(after);
      expect(await valuesOf(after)).toEqual(tuned);
      expect(await valuesOf(before)).toEqual(first);
      // The same sums in the same order. Compilers may fuse a multiplication and an addition in one and not in the other,
      // which changes each of INNER steps by half a unit of a running sum that is below INNER; the steps after the
      // product add two of its elements, one of them halved.
      const tolerance = 1.5 * INNER * INNER * 2 ** -24;
      for (const [i, values] of tuned.entries()) {
        const worst = Math.max(...values.map((value, at) => Math.abs(value - (first[i]?.[at] ?? Number.NaN))));
        expect(worst).toBeLessThanOrEqual(name === "reference" ? 0 : tolerance);
      }
      for (const plan of [before, after]) plan.destroy();
      runtime.destroy();
    }, 120_000);
  });
}
