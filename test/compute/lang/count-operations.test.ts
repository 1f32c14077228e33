/** Operations counted from trees, against counts made by hand. */
import { expect, test } from "vitest";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { countOperations } from "../../../src/compute/lang/count-operations.ts";
import { invocationOf, variable } from "../../../src/compute/lang/expr.ts";
import { LANE, type Binding, type Expr, type Statement } from "../../../src/compute/lang/kernel.ts";
import { assign, forRange, Names, store, varIn, when } from "../../../src/compute/lang/statements.ts";

const BINDINGS_MAX = 8;

/** Of the kernels that compute `outputs`, together. */
function operationsOf(...outputs: Node[]): number {
  return lower(outputs, BINDINGS_MAX).kernels.reduce((sum, { kernel }) => sum + countOperations(kernel), 0);
}

const leaf = (...shape: number[]): Node => graph.buffer(shape, "float32");

test("a product counts two operations for each of its terms", () => {
  expect(operationsOf(graph.contraction(leaf(2, 8, 16), leaf(2, 16, 12)))).toBe(2 * 2 * 8 * 16 * 12);
});

test("an elementwise chain counts its steps for each element, whatever an invocation takes on", () => {
  for (const count of [100, 2 ** 15, 2 ** 18]) {
    const x = leaf(count);
    expect(operationsOf(graph.unary("exp", graph.binary("multiply", x, graph.unary("negate", x))))).toBe(3 * count);
  }
});

test("a sum counts an operation for each element, in blocks too", () => {
  expect(operationsOf(graph.reduce("sum", leaf(64, 100), [1]))).toBe(6400);
  // Blocks of 256: 4 of them, and 4 sums of their sums.
  expect(operationsOf(graph.reduce("sum", leaf(64, 1024), [1]))).toBe(64 * (1024 + 4));
});

test("integers, loads, views and selects count nothing", () => {
  const indices = graph.buffer([6], "int32");
  expect(operationsOf(graph.permute(leaf(3, 4), [1, 0]))).toBe(0);
  expect(operationsOf(graph.binary("multiply", indices, indices))).toBe(0);
  expect(operationsOf(graph.gather(leaf(6), indices, 0))).toBe(0);
});

/** Operations of a kernel of 4 invocations over floats. */
function counted(body: (names: Names) => readonly Statement[]): number {
  const bindings: Binding[] = [
    { type: "f32", access: "write", length: 64 },
    { type: "i32", access: "read", length: 64 },
  ];
  return countOperations({ name: "test", bindings, invocations: 4, body: body(new Names()) });
}

const half = (x: Expr): Expr => build.multiply(x, build.f32(0.5));

test("what statements share counts once, and once more for each turn of a loop around it", () => {
  const x = build.cast("f32", invocationOf(4));
  const shared = half(x);
  expect(counted(() => [store(0, build.i32(0), shared), store(0, build.i32(1), half(shared))])).toBe(4 * 2);
  const loop = (names: Names): Statement =>
    forRange(names, "k", build.i32(0), build.i32(10), (k) => [store(0, k, half(build.cast("f32", k)))]);
  expect(counted((names) => [loop(names)])).toBe(4 * 10);
});

test("a triangular loop counts its mean, a condition as if it held, a loaded bound once", () => {
  const body = (names: Names, to: Expr): Statement[] => {
    const total = varIn(names, "total", build.f32(0));
    const more = (k: Expr): Statement[] => [assign(total.use, build.add(total.use, build.cast("f32", k)))];
    const loop = forRange(names, "k", build.i32(0), to, more);
    return [total.statement, when(build.less(invocationOf(4), build.i32(2)), [loop])];
  };
  // For invocations 0 to 3 the loop has 0, 10, 20 and 30 turns; the middle one, rounded down, has 10.
  expect(counted((names) => body(names, build.multiply(invocationOf(4), build.i32(10))))).toBe(4 * 10);
  expect(counted((names) => body(names, build.load(1, build.i32(0), "i32")))).toBe(4);
});

test("lanes of a workgroup count each for itself, with what their subgroups combine and not what they move", () => {
  const body: Statement[] = [
    { kind: "array", name: "held", type: "f32", length: 4 },
    { kind: "subgroup", op: "add", name: "sum", value: build.cast("f32", LANE) },
    { kind: "subgroup", op: "broadcastFirst", name: "first", value: half(variable("f32", "sum")) },
    { kind: "barrier" },
    { kind: "storePrivate", name: "held", index: build.i32(0), value: half(variable("f32", "first")) },
    store(0, LANE, build.loadPrivate("held", build.i32(0), "f32")),
  ];
  const bindings: Binding[] = [{ type: "f32", access: "write", length: 64 }];
  const kernel = { name: "test", bindings, invocations: 64, workgroup: { lanes: 64, shared: [] }, body };
  expect(countOperations(kernel)).toBe(64 * 3);
});
