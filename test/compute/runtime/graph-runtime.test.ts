/** The runtime, on every device: leaves, reads, plans and their updates. */
import { describe, expect, test } from "vitest";
import { InvariantError, OptionError, ShapeError } from "../../../src/base/errors.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { computed, testDevices } from "../compiler/devices.ts";

function floats(runtime: Runtime, ...values: number[]): Node {
  return runtime.leaf([values.length], "float32", new Float32Array(values));
}

function plus(a: Node, b: Node): Node {
  return graph.binary("add", a, b);
}

async function values(runtime: Runtime, ...nodes: Node[]): Promise<number[][]> {
  return await computed(runtime, nodes);
}

for (const device of testDevices) {
  describe.skipIf(device.missing !== undefined)(`${device.name}${device.missing ? ` (${device.missing})` : ""}`, () => {
    const on = (sentence: string, run: (runtime: Runtime) => Promise<void>): void => {
      test(sentence, async () => await run(await device.open()));
    };

    on("a leaf without data is zeros, also in memory that was used before", async (runtime) => {
      const used = floats(runtime, 1, 2, 3);
      runtime.release(used);
      expect(await values(runtime, runtime.leaf([3], "float32"))).toEqual([[0, 0, 0]]);
    });

    on("leaves of every dtype, scalars and empty ones come back as they were written", async (runtime) => {
      const leaves = [
        runtime.leaf([], "float32", new Float32Array([1.5])),
        runtime.leaf([2], "int32", new Int32Array([-1, 2 ** 31 - 1])),
        runtime.leaf([2], "uint32", new Uint32Array([0, 2 ** 32 - 1])),
        runtime.leaf([2, 1], "bool", new Uint32Array([1, 0])),
        runtime.leaf([0, 4], "float32"),
      ];
      expect(await values(runtime, ...leaves)).toEqual([[1.5], [-1, 2 ** 31 - 1], [0, 2 ** 32 - 1], [1, 0], []]);
    });

    on("data of another type or size is refused", async (runtime) => {
      expect(() => runtime.leaf([2], "float32", new Int32Array(2))).toThrow(OptionError);
      expect(() => runtime.leaf([2], "float32", new Float32Array(3))).toThrow(
        "expected a Float32Array of 2 for float32 [2], found Float32Array of 3",
      );
      expect(() => runtime.write(floats(runtime, 1), new Float32Array(2))).toThrow(OptionError);
    });

    on("realized nodes are leaves with their values, and leaves stay themselves", async (runtime) => {
      const x = floats(runtime, 1, 2);
      const [same, sum, again] = await runtime.realize([x, plus(x, x), plus(x, x)]);
      expect(same).toBe(x);
      expect(again).toBe(sum);
      expect(sum?.primitive.kind).toBe("buffer");
      expect(await values(runtime, sum as Node)).toEqual([[2, 4]]);
    });

    on("empty tensors are computed without a kernel", async (runtime) => {
      const empty = runtime.leaf([0, 3], "float32");
      const outputs = [graph.unary("exp", empty), graph.reduce("sum", empty, [0]), graph.reduce("sum", empty, [1])];
      expect(await values(runtime, ...outputs)).toEqual([[], [0, 0, 0], []]);
    });

    on("a write is seen by what is submitted later, and not before", async (runtime) => {
      const x = floats(runtime, 1, 2);
      const [before] = await runtime.realize([plus(x, x)]);
      runtime.write(x, new Float32Array([10, 20]));
      expect(await values(runtime, before as Node, plus(x, x))).toEqual([[2, 4], [20, 40]]); // prettier-ignore
    });

    on("a plan runs again and again on its leaves as they are", async (runtime) => {
      const x = floats(runtime, 1, 2);
      const plan = await runtime.compile([plus(x, x), graph.reduce("sum", x, [0])], []);
      await plan.run();
      expect(await values(runtime, ...plan.outputs)).toEqual([[2, 4], [3]]);
      runtime.write(x, new Float32Array([5, 6]));
      await plan.run();
      expect(await values(runtime, ...plan.outputs)).toEqual([[10, 12], [11]]);
      plan.destroy();
    });

    on("updates see all old values: a swap, a chain and a sum at once", async (runtime) => {
      const [a, b, c] = [floats(runtime, 1, 2), floats(runtime, 10, 20), floats(runtime, 100, 200)];
      const plan = await runtime.compile([a, plus(a, c)], [[a, b], [b, a], [c, plus(plus(a, b), c)]]); // prettier-ignore
      await plan.run();
      expect(await values(runtime, a, b, c)).toEqual([[10, 20], [1, 2], [111, 222]]); // prettier-ignore
      expect(await values(runtime, ...plan.outputs)).toEqual([[1, 2], [101, 202]]); // prettier-ignore
      await plan.run();
      expect(await values(runtime, a, b, c)).toEqual([[1, 2], [10, 20], [122, 244]]); // prettier-ignore
      plan.destroy();
    });

    on("an optimizer's step updates in place what nobody reads any more", async (runtime) => {
      const [weight, momentum, gradient] = [floats(runtime, 1, 2), floats(runtime, 0, 0), floats(runtime, 4, 8)];
      const half = graph.constant(0.5, [2], "float32");
      const next = plus(graph.binary("multiply", momentum, half), gradient);
      const plan = await runtime.compile([], [
        [momentum, next],
        [weight, graph.binary("subtract", weight, graph.binary("multiply", next, half))],
      ]); // prettier-ignore
      await plan.run();
      await plan.run();
      expect(await values(runtime, weight, momentum)).toEqual([[1 - 2 - 3, 2 - 4 - 6], [6, 12]]); // prettier-ignore
      plan.destroy();
    });

    on("many intermediate values share memory and keep their own bytes", async (runtime) => {
      let x = floats(runtime, ...Array.from({ length: 64 }, (_, i) => i));
      const kept: Node[] = [];
      for (let i = 0; i < 12; i++) {
        x = plus(graph.scan("maximum", x, 0), graph.constant(1, [64], "float32"));
        if (i % 4 === 0) kept.push(x);
      }
      const plan = await runtime.compile([x, ...kept], []);
      await plan.run();
      const expected = [12, 1, 5, 9].map((sum) => Array.from({ length: 64 }, (_, i) => i + sum));
      expect(await values(runtime, ...plan.outputs)).toEqual(expected);
      plan.destroy();
    });

    on("two plans of one graph give the same bits", async (runtime) => {
      const x = floats(runtime, ...Array.from({ length: 20_000 }, (_, i) => Math.sin(i)));
      const plans = await Promise.all([0, 1].map(async () => await runtime.compile([graph.reduce("sum", x, [0])], [])));
      for (const plan of plans) await plan.run();
      const [first, second] = await runtime.read(plans.flatMap((plan) => plan.outputs));
      expect(first).toEqual(second);
      for (const plan of plans) plan.destroy();
    });

    on("a plan explains its kernels", async (runtime) => {
      const x = runtime.leaf([8, 4], "float32");
      const plan = await runtime.compile([graph.reduce("maximum", graph.unary("exp", x), [1])], []);
      const kernel = { name: "maximum [8, 4] -> [8, 1] of exp", invocations: 8, bindings: 2, ms: null };
      expect(plan.explain()).toMatchObject({ kernels: [kernel], scratchBytes: 0 });
      plan.destroy();
    });

    on("a profile is so many runs, and gives each kernel a time", async (runtime) => {
      const [x, y] = [floats(runtime, 1, 2), floats(runtime, 0)];
      const total = graph.reduce("sum", x, [0]);
      // The target's own bytes are read before it is overwritten: a copy comes before the kernels.
      const plan = await runtime.compile([y, graph.unary("exp", x)], [[y, plus(y, total)]]);
      const ms = await plan.profile(3);
      expect(await values(runtime, y)).toEqual([[9]]);
      const { kernels } = plan.explain();
      expect(kernels.length).toBeGreaterThanOrEqual(1);
      expect(ms).toEqual(kernels.map((kernel) => kernel.ms));
      for (const time of ms) expect(time).toBeGreaterThanOrEqual(0);
      plan.destroy();
      await expect(plan.profile()).rejects.toThrow(InvariantError);
    });

    on("updates that make no sense are refused", async (runtime) => {
      const x = floats(runtime, 1, 2);
      await expect(runtime.compile([], [[x, x], [x, plus(x, x)]])).rejects.toThrow(OptionError); // prettier-ignore
      await expect(runtime.compile([], [[plus(x, x), x]])).rejects.toThrow(OptionError);
      await expect(runtime.compile([], [[x, graph.reduce("sum", x, [0])]])).rejects.toThrow(ShapeError);
    });

    on("released leaves and destroyed plans cannot be used", async (runtime) => {
      const x = floats(runtime, 1, 2);
      const plan = await runtime.compile([plus(x, x)], []);
      runtime.release(x);
      await expect(plan.run()).rejects.toThrow(InvariantError);
      await expect(runtime.read([x])).rejects.toThrow("expected a leaf of this runtime");
      plan.destroy();
      plan.destroy();
      await expect(plan.run()).rejects.toThrow(InvariantError);
    });
  });
}
