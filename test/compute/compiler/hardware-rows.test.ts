/** Graphs as hardware GPUs get them, where lanes share rows, on the reference device: races are found, and values checked. */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { DeviceInfo } from "../../../src/compute/device/device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { expectAsEvaluated, Leaves } from "./devices.ts";

/** Says that it is a GPU. */
class HardwareLike extends ReferenceDevice {
  override readonly info: DeviceInfo;

  constructor(hasSubgroups: boolean, subgroupSize: number) {
    super({ subgroupSize, checksRaces: true });
    this.info = { ...new ReferenceDevice({ subgroupSize }).info, isSoftware: false, hasSubgroups };
  }
}

const KINDS = [
  { hasSubgroups: true, subgroupSize: 4 },
  { hasSubgroups: true, subgroupSize: 32 },
  { hasSubgroups: false, subgroupSize: 8 },
] as const;

function softmaxOf(x: Node, axis: number): Node {
  const shifted = graph.binary("subtract", x, graph.expand(graph.reduce("maximum", x, [axis]), x.shape));
  const powers = graph.unary("exp", shifted);
  return graph.binary("divide", powers, graph.expand(graph.reduce("sum", powers, [axis]), x.shape));
}

for (const { hasSubgroups, subgroupSize } of KINDS) {
  const name = `${hasSubgroups ? "" : "no "}subgroups of ${subgroupSize}`;

  test(`softmax, norms and sums of any rows and columns are right with ${name}`, { timeout: 60_000 }, async () => {
    const device = new HardwareLike(hasSubgroups, subgroupSize);
    const runtime = createRuntime(device);
    const random = new Random(3, "hardware rows");
    for (const shape of [
      [5, 64],
      [3, 131],
      [70, 36],
      [1, 3000],
      [9, 512],
      [513, 40],
    ]) {
      const leaves = new Leaves(runtime);
      const x = leaves.floats(random, shape);
      const square = graph.binary("multiply", x, x);
      const nodes = [
        softmaxOf(x, 1),
        softmaxOf(x, 0),
        graph.reduce("sum", square, [0]),
        graph.reduce("sum", x, [0, 1]),
        graph.reduce("minimum", x, [1]),
        graph.reduce("product", graph.unary("sign", x), [1]),
      ];
      await expectAsEvaluated(runtime, leaves, nodes, 1e-5);
    }
    runtime.destroy();
    device.destroy();
  });
}

test("scatters in ranges of lines add every contribution where it belongs, without races", async () => {
  const device = new HardwareLike(true, 32);
  const runtime = createRuntime(device);
  const random = new Random(4, "hardware scatter");
  for (const [count, size, lines] of [
    [300, 40, 5],
    [64, 1000, 3],
    [33, 7, 70],
    [900, 1, 2],
  ] as const) {
    const leaves = new Leaves(runtime);
    const values = leaves.floats(random, [count, lines]);
    // Some lie outside, and are left out.
    const places = graph.expand(leaves.integers(random, [count, 1], -2, size + 2), [count, lines]);
    await expectAsEvaluated(runtime, leaves, [graph.scatterAdd(values, places, 0, size)], 1e-5);
  }
  runtime.destroy();
  device.destroy();
});

test("the gradient of an embedding is one kernel, with no copy of the output", () => {
  const traits = new HardwareLike(true, 32).info;
  const [grad, tokens] = [graph.buffer([4096, 64], "float32"), graph.buffer([4096, 1], "int32")];
  const sum = graph.scatterAdd(grad, graph.expand(tokens, [4096, 64]), 0, 50_000);
  expect(lower([sum], 8, { traits }).kernels.map(({ kernel }) => kernel.invocations)).toEqual([4096]);
  expect(lower([sum], 8).kernels.map(({ kernel }) => kernel.invocations)).toEqual([64]);
});

test("columns are summed by one kernel on hardware, and by two on software adapters", () => {
  const traits = new HardwareLike(true, 32).info;
  const bias = graph.reduce("sum", graph.buffer([512, 64], "float32"), [0]);
  expect(lower([bias], 8, { traits }).kernels.map(({ kernel }) => kernel.workgroup?.lanes)).toEqual([256]);
  expect(lower([bias], 8).kernels.length).toBe(2);
});

test("a GPU with subgroups goes along rows by them, one without by barriers", () => {
  const rows = softmaxOf(graph.buffer([512, 1024], "float32"), 1);
  for (const hasSubgroups of [true, false]) {
    const { kernels } = lower([rows], 8, { traits: new HardwareLike(hasSubgroups, 32).info });
    const [kernel] = kernels.map((lowered) => lowered.kernel);
    expect(kernels.length).toBe(1);
    expect(kernel?.invocations).toBe(512 * 256);
    expect(JSON.stringify(kernel?.body).includes('"subgroup"')).toBe(hasSubgroups);
  }
});
