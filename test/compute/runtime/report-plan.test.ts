/** Reports of known graphs: bytes, who computes what, and graphs far deeper than any call stack. */
import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import type { LoweredKernel } from "../../../src/compute/compiler/lower-region.ts";
import * as build from "../../../src/compute/lang/build.ts";
import type { Binding } from "../../../src/compute/lang/kernel.ts";
import { store } from "../../../src/compute/lang/statements.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import type { GraphNodeReport, PlanReport } from "../../../src/compute/runtime/plan-report.ts";
import { middleMeans } from "../../../src/compute/runtime/middle-means.ts";
import { reportPlan, type PlanFacts } from "../../../src/compute/runtime/report-plan.ts";
import { reportText } from "../../../src/compute/runtime/report-text.ts";

/** The report of what the compiler makes of a graph. */
function reportOf(...asked: Node[]): PlanReport {
  const lowered = lower(asked, 8);
  return reportPlan({
    asked,
    outputs: lowered.outputs,
    dispatches: lowered.kernels.map((kernel) => alone(kernel)),
    scratchBytes: 0,
    ms: [],
  });
}

const leaf = (...shape: number[]): Node => graph.buffer(shape, "float32");

const TYPES = { float32: "f32", float16: "f16", int32: "i32", uint32: "u32", bool: "u32" } as const;

/** A kernel that claims to store `output` from `inputs`: reports look at what it says, not at what it would compute. */
function kernelOf(output: Node, inputs: readonly Node[], access: "write" | "readWrite" = "write"): LoweredKernel {
  const bindings = [output, ...inputs].map(({ dtype, shape }, i): Binding => {
    return { type: TYPES[dtype], access: i === 0 ? access : "read", length: elementCount(shape) };
  });
  const body = [store(0, build.i32(0), output.dtype === "float32" ? build.f32(0) : build.i32(0))];
  const kernel = { name: output.primitive.kind, bindings, invocations: 4, body };
  return { kernel, outputs: [output], inputs, isRows: false, isAwaited: false };
}

function alone(kernel: LoweredKernel): PlanFacts["dispatches"][number] {
  return { kernel: kernel.kernel, parts: [kernel] };
}

/** softmax([16, 64]) over the last axis: a maximum, a sum, and a quotient that computes the exponentials again. */
function softmax(x: Node = leaf(16, 64)): PlanReport {
  const highest = graph.reduce("maximum", x, [1]);
  const powers = graph.unary("exp", graph.binary("subtract", x, graph.expand(highest, x.shape)));
  const sum = graph.reduce("sum", powers, [1]);
  const quotient = graph.binary("divide", powers, graph.expand(sum, x.shape));
  const kernels = [kernelOf(highest, [x]), kernelOf(sum, [x, highest]), kernelOf(quotient, [x, highest, sum])];
  const dispatches = kernels.map((kernel) => alone(kernel));
  return reportPlan({ asked: [quotient], outputs: [quotient], dispatches, scratchBytes: 512, ms: [0.5] });
}

/** Those nodes of the lowered graph whose label is `label`. */
function nodesOf({ graph: { after } }: PlanReport, label: string): readonly GraphNodeReport[] {
  return after.nodes.filter((node) => node.label === label);
}

test("bytes are those of the arrays that a kernel binds, each once", () => {
  const { kernels, scratchBytes } = softmax();
  const [line, matrix] = [16 * 4, 16 * 64 * 4];
  expect(kernels.map(({ readBytes, writtenBytes }) => [readBytes, writtenBytes])).toEqual([
    [matrix, line],
    [matrix + line, line],
    [matrix + 2 * line, matrix],
  ]);
  expect(kernels.map(({ ms }) => ms)).toEqual([0.5, null, null]);
  expect(scratchBytes).toBe(512);
  for (const { source } of kernels) expect(source).toContain("@compute @workgroup_size(64)");
});

test("an array that is written and read counts as both", () => {
  const [values, places] = [graph.buffer([100], "float16"), graph.buffer([100], "int32")];
  const sum = graph.scatterAdd(leaf(100), places, 0, 10);
  const dispatches = [alone(kernelOf(sum, [values, places], "readWrite"))];
  const { kernels } = reportPlan({ asked: [sum], outputs: [sum], dispatches, scratchBytes: 0, ms: [] });
  expect(kernels[0]).toMatchObject({ readBytes: 40 + 200 + 400, writtenBytes: 40, bindings: 3, invocations: 4 });
});

test("kernels that run at once are one, of all that they store, and of what they read once", () => {
  const x = leaf(10);
  const results = (["exp", "sin", "cos", "tanh"] as const).map((fn) => graph.unary(fn, x));
  const parts = results.map((result, i) => {
    const lowered = kernelOf(result, [x]);
    return { ...lowered, kernel: { ...lowered.kernel, name: `part ${i}` } };
  });
  const [{ kernel } = kernelOf(x, [])] = parts;
  const dispatches = [{ kernel, parts }];
  const report = reportPlan({ asked: results, outputs: results, dispatches, scratchBytes: 0, ms: [] });
  expect(report.kernels).toHaveLength(1);
  expect(report.kernels[0]).toMatchObject({
    name: "4 at once: part 0 & part 1 & part 2 & ...",
    readBytes: 40,
    writtenBytes: 160,
    outputs: report.graph.after.outputs,
  });
  for (const node of report.graph.after.nodes) expect(node.kernels).toEqual(node.kind === "buffer" ? [] : [0]);
});

test("each node tells the kernels that compute it, and a kernel the nodes that it stores", () => {
  const report = softmax();
  const only = (label: string): GraphNodeReport => present(nodesOf(report, label)[0], label);
  expect(only("buffer")).toMatchObject({ kernels: [], isStored: true, inputs: [], bytes: 4096 });
  expect(only("reduce maximum 1")).toMatchObject({ kernels: [0], isStored: true, shape: [16, 1], dtype: "float32" });
  expect(only("unary exp")).toMatchObject({ kernels: [1, 2], isStored: false });
  expect(only("reduce sum 1")).toMatchObject({ kernels: [1], isStored: true });
  expect(only("binary divide")).toMatchObject({ kernels: [2], isStored: true });
  const stored = report.kernels.map(({ outputs }) => outputs.map((id) => report.graph.after.nodes[id]?.label));
  expect(stored).toEqual([["reduce maximum 1"], ["reduce sum 1"], ["binary divide"]]);
  expect(report.graph.after.outputs).toEqual([only("binary divide").id]);
  expect(only("unary exp").inputs).toEqual([only("binary subtract").id]);
});

test("the graph before is as the operations made it, the graph after has equal nodes merged and long sums cut", () => {
  const x = leaf(4, 16_384);
  const report = reportOf(graph.reduce("sum", graph.unary("exp", x), [1]), graph.unary("abs", graph.unary("exp", x)));
  const labels = report.graph.before.nodes.map(({ label }) => label);
  expect(labels.filter((label) => label === "unary exp")).toHaveLength(2);
  expect(labels.filter((label) => label.startsWith("reduce"))).toHaveLength(1);
  for (const node of report.graph.before.nodes) expect(node.kernels).toEqual([]);
  expect(nodesOf(report, "unary exp")).toHaveLength(1);
  expect(report.graph.after.nodes.filter(({ kind }) => kind === "reduce")).toHaveLength(2);
});

test("inputs come before their readers, and every computed node has a kernel", () => {
  const x = leaf(16, 64);
  const scaled = graph.binary("divide", x, graph.expand(graph.reduce("sum", graph.unary("exp", x), [1]), [16, 64]));
  const report = reportOf(scaled, graph.contraction(graph.reshape(scaled, [1, 16, 64]), leaf(1, 64, 8)));
  for (const { nodes } of [report.graph.before, report.graph.after]) {
    for (const { id, inputs } of nodes) for (const input of inputs) expect(input).toBeLessThan(id);
  }
  for (const { kind, kernels } of report.graph.after.nodes) expect(kernels.length > 0).toBe(kind !== "buffer");
});

test("a chain of 20,000 nodes is reported without a call stack as deep", () => {
  let x = leaf(4);
  for (let i = 0; i < 20_000; i++) x = graph.unary(i % 2 === 0 ? "sin" : "abs", x);
  const report = reportOf(x);
  expect(report.graph.after.nodes).toHaveLength(20_001);
  expect(report.graph.after.nodes.at(-1)?.kernels).toEqual([report.kernels.length - 1]);
});

test("what repeated runs come to is the mean of their middle half, of those that have a number", () => {
  expect(middleMeans([[3, null], [1, 4], [100, null]], 3)).toEqual([3, 4, null]); // prettier-ignore
  expect(middleMeans([[0], [6], [6], [0], [100]], 1)).toEqual([4]);
  expect(middleMeans([[3], [1]], 1)).toEqual([2]);
  expect(middleMeans([], 1)).toEqual([null]);
});

test("the text has a line a kernel with its figures", () => {
  const report = softmax();
  const kernels = report.kernels.map((kernel, i) => ({ ...kernel, operations: 1e6, ms: [0.5, null, 1.5][i] ?? null }));
  expect(reportText([{ ...report, kernels }])).toBe(`\
plan 0: 3 kernels, 2.00 ms, 12.5 kB read, 4.22 kB written, 3.00 MFLOP, 512 B in between

graph before: 8 nodes
graph after: 8 nodes: 1 in memory, 3 stored by kernels, 4 computed inside of them (3 by several)

   invocations   bytes  operations     ms  share   GB/s  GFLOP/s  kernel
0            4  4.16 k      1.00 M  0.500  25.0%  0.008     2.00  reduce
1            4  4.22 k      1.00 M      -      -      -        -  reduce
2            4  8.32 k      1.00 M   1.50  75.0%  0.006    0.667  binary`);
});

test("sources are printed below the table where they are asked for", () => {
  const report = softmax();
  const text = reportText([report, report], { sources: true });
  expect(text.match(/^plan \d/gm)).toEqual(["plan 0", "plan 1"]);
  expect(text.match(/^\/\/ \d: /gm)).toHaveLength(6);
  expect(text).toContain(report.kernels[2]?.source.trimEnd());
  expect(reportText([report])).not.toContain("@compute");
});
