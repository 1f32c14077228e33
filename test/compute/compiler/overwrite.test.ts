/** Storing over what is read: where it is legal, and that it gives the same values. */
import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import type { LoweredKernel } from "../../../src/compute/compiler/lower-region.ts";
import { canOverwrite, overwriting } from "../../../src/compute/compiler/overwrite.ts";
import { runKernel } from "../lang/run-kernel.ts";

const SHAPE = [4, 8];

function only(...outputs: Node[]): LoweredKernel {
  const { kernels } = lower(outputs, 8);
  expect(kernels).toHaveLength(1);
  return present(kernels[0], "a kernel");
}

function pair(kernel: LoweredKernel, output: Node, input: Node): [number, number] {
  return [kernel.outputs.indexOf(output), kernel.outputs.length + kernel.inputs.indexOf(input)];
}

function floats(from: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 32 }, (_, i) => from + i);
}

test("moments and parameter are stored over the old ones, and are what they would be elsewhere", () => {
  const [p, m, g] = [0, 1, 2].map(() => graph.buffer(SHAPE, "float32")) as [Node, Node, Node];
  const moment = graph.binary("add", graph.binary("multiply", m, graph.constant(0.5, SHAPE, "float32")), g);
  const parameter = graph.binary("subtract", p, graph.binary("multiply", moment, m));
  const lowered = only(moment, parameter);
  const values = new Map([[p, floats(1)], [m, floats(50)], [g, floats(-7)]]); // prettier-ignore
  const arrays = [
    ...lowered.outputs.map(() => new Float32Array(32)),
    ...lowered.inputs.map((x) => floatsOf(values, x)),
  ];
  runKernel(lowered.kernel, arrays);

  const [first, second] = [pair(lowered, moment, m), pair(lowered, parameter, p)];
  expect(canOverwrite(lowered.kernel, ...first) && canOverwrite(lowered.kernel, ...second)).toBe(true);
  const [higher, lower_] = first[1] > second[1] ? [first, second] : [second, first];
  const once = present(overwriting(lowered.kernel, ...higher), "the first one rewritten");
  const twice = present(overwriting(once, ...lower_), "both rewritten");
  const over = [
    ...lowered.outputs.map((x) => new Float32Array(x === moment ? floatsOf(values, m) : floatsOf(values, p))),
  ];
  const rest = lowered.inputs.filter((x) => x === g).map((x) => floatsOf(values, x));
  expect(twice.bindings.map(({ access }) => access)).toEqual(["readWrite", "readWrite", "read"]);
  runKernel(twice, [...over, ...rest]);
  expect(over).toEqual(arrays.slice(0, 2));
});

function floatsOf(values: ReadonlyMap<Node, Float32Array<ArrayBuffer>>, node: Node): Float32Array<ArrayBuffer> {
  return present(values.get(node), "the values of a leaf");
}

test("what is read elsewhere than it is stored is not stored over", () => {
  const x = graph.buffer(SHAPE, "float32");
  const turned = graph.unary("negate", graph.slice(x, [0, 7], SHAPE, [1, -1]));
  const kernel = only(turned);
  expect(canOverwrite(kernel.kernel, ...pair(kernel, turned, x))).toBe(false);
  const normal = graph.binary("divide", x, graph.expand(graph.reduce("sum", x, [1]), SHAPE));
  const rows = only(normal);
  expect(canOverwrite(rows.kernel, ...pair(rows, normal, x))).toBe(false);
});
