/**
 * Roundabout ways to compute things, one for each habit of ops and of those who call them: what the passes are there for.
 * For random graphs: each takes a node of any shape and dtype, and gives one that is computed from it.
 */
import type { Random } from "../../../src/base/random.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node, ReduceFunction } from "../../../src/compute/compiler/ir.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";

type Redundancy = (x: Node, random: Random) => Node;

function like(x: Node, value: number): Node {
  return graph.constant(value, x.shape, x.dtype);
}

function isNumber(x: Node): boolean {
  return x.dtype !== "bool";
}

/** Numbers of `x`'s shape: itself, or a bool as 0 and 1. */
function numbers(x: Node): Node {
  return isNumber(x) ? x : graph.cast(x, "int32");
}

function signed(x: Node): Node {
  return x.dtype === "float32" || x.dtype === "int32" ? x : graph.cast(x, "int32");
}

/** What may be compared and rounded: a float that was computed is not, since devices round it differently. */
function whole(x: Node): Node {
  return x.dtype === "float32" ? graph.iota(x.shape, 0) : x;
}

/** True and false. */
function truth(x: Node): Node {
  return graph.cast(whole(x), "bool");
}

function floats(x: Node): Node {
  return graph.unary("tanh", graph.cast(x, "float32"));
}

/** [1, ..] repeated in front. */
function repeated(x: Node, times: number): Node {
  return graph.expand(graph.reshape(x, [1, ...x.shape]), [times, ...x.shape]);
}

function along(x: Node, axis: number, value: number, others: number): number[] {
  return x.shape.map((_, i) => (i === axis ? value : others));
}

/** `x` between zeros: `low` before and `high` after it along an axis, with gaps of `interior`. */
function padded(x: Node, axis: number, low: number, high: number, interior = 0): Node {
  const zeros = along(x, axis, 0, 0);
  return graph.pad(x, {
    low: zeros.with(axis, low),
    high: zeros.with(axis, high),
    interior: zeros.with(axis, interior),
  });
}

/** `x` twice along an axis, as `cat` joins. */
function joined(x: Node, axis: number): Node {
  const size = x.shape[axis] ?? 1;
  return graph.binary("add", padded(x, axis, 0, size), padded(graph.unary("negate", x), axis, size, 0));
}

const arithmetic: readonly Redundancy[] = [
  (x) => graph.binary("add", numbers(x), like(numbers(x), 0)),
  (x) => graph.binary("multiply", like(numbers(x), 1), numbers(x)),
  (x) => graph.binary("multiply", signed(x), like(signed(x), -1)),
  (x) => graph.unary("negate", graph.unary("negate", signed(x))),
  (x) => graph.binary("add", signed(x), graph.unary("negate", signed(x))),
  (x) => graph.binary("subtract", signed(x), graph.unary("negate", graph.unary("abs", signed(x)))),
  (x) => graph.binary("divide", numbers(x), like(numbers(x), 8)),
  (x) => graph.binary("maximum", graph.binary("maximum", numbers(x), like(numbers(x), 1)), like(numbers(x), 2)),
  (x) => graph.binary("minimum", numbers(x), numbers(x)),
  (x) => graph.binary("add", graph.binary("add", numbers(x), like(numbers(x), 2)), like(numbers(x), 3)),
  (x) => graph.unary("not", graph.binary("equal", whole(x), whole(x))),
  (x) => graph.unary("not", graph.binary("less", numbers(whole(x)), like(numbers(whole(x)), 1))),
  (x) => graph.binary("and", truth(x), graph.constant(1, x.shape, "bool")),
  (x) => graph.binary("power", floats(x), graph.constant(2, x.shape, "float32")),
  (x) => graph.cast(graph.cast(truth(x), "int32"), "float32"),
  (x) => graph.unary("floor", graph.cast(truth(x), "float32")),
  (x) => graph.select(graph.unary("not", truth(x)), x, x),
  (x) => {
    const condition = truth(x);
    return graph.select(condition, graph.select(condition, x, like(x, 1)), like(x, 0));
  },
  // The two orders of operands are one node.
  (x) => graph.binary("subtract", graph.binary("add", floats(x), floats(x)), graph.binary("add", floats(x), floats(x))),
];

const views: readonly Redundancy[] = [
  (x) => graph.reshape(graph.reshape(x, [elementCount(x.shape), 1]), [1, ...x.shape]),
  (x, random) => {
    const order = random.shuffle(x.shape.map((_, i) => i));
    return graph.permute(graph.unary("not", graph.permute(truth(x), order)), [...order.keys()].map((i) => order.indexOf(i))); // prettier-ignore
  },
  (x) => graph.permute(graph.reshape(graph.permute(graph.reshape(x, [1, elementCount(x.shape)]), [1, 0]), [1, elementCount(x.shape)]), [1, 0]), // prettier-ignore
  (x) => graph.permute(graph.reshape(repeated(x, 2), [2, 1, elementCount(x.shape)]), [2, 1, 0]),
  (x, random) => {
    const axis = random.below(x.shape.length);
    const wide = padded(x, axis, 2, 1, random.below(2));
    const size = wide.shape[axis] ?? 1;
    const start = random.below(size);
    return graph.slice(wide, along(x, axis, start, 0), wide.shape.with(axis, 1 + random.below(size - start)));
  },
  (x, random) => padded(padded(x, random.below(x.shape.length), 1, 0), random.below(x.shape.length), 0, 2),
  (x, random) => graph.slice(repeated(x, 3), [1, ...x.shape.map(() => 0)], [1 + random.below(2), ...x.shape]),
  (x) => graph.unary("not", repeated(truth(x), 2)),
  (x) => graph.binary("multiply", repeated(floats(x), 3), graph.constant(0.5, [3, ...x.shape], "float32")),
  (x) => graph.window(x, 0, 1, 1),
  (x) => graph.gather(x, graph.iota(x.shape, 0), 0),
  (x) => graph.gather(x, graph.constant(1, x.shape, "int32"), 0),
];

const joins: readonly Redundancy[] = [
  (x, random) => joined(signed(x), random.below(x.shape.length)),
  (x, random) => {
    const axis = random.below(x.shape.length);
    const both = joined(joined(signed(x), axis), axis);
    const start = random.below(both.shape[axis] ?? 1);
    return graph.slice(both, along(x, axis, start, 0), both.shape.with(axis, 1));
  },
  (x) => graph.binary("add", padded(floats(x), 0, 1, 0, 1), padded(floats(x), 0, 0, 1, 1)),
  (x) => graph.binary("add", padded(floats(x), 0, 1, 1), padded(graph.unary("abs", floats(x)), 0, 1, 1)),
];

const FUNCTIONS = ["sum", "maximum", "minimum", "product"] as const satisfies readonly ReduceFunction[];

const reductions: readonly Redundancy[] = [
  (x, random) => graph.reduce(random.pick(FUNCTIONS), repeated(floats(x), 2), [0, 1]),
  (x) => graph.reduce("sum", graph.reduce("sum", graph.reshape(floats(x), [1, ...x.shape]), [0]), [0]),
  (x) => graph.unary("tanh", graph.reduce("sum", graph.reduce("sum", repeated(floats(x), 2), [1]), [0])),
  (x) => graph.reduce("maximum", graph.reshape(graph.reduce("maximum", numbers(x), [0]), [elementCount(x.shape.slice(1))]), [0]), // prettier-ignore
  (x, random) => graph.reduce("minimum", graph.permute(numbers(x), random.shuffle(x.shape.map((_, i) => i))), [0]),
  (x) => graph.reduce("sum", padded(floats(x), 0, 2, 1), [0]),
  (x) => graph.reduce("product", graph.constant(3, x.shape, "int32"), [0]),
];

/** [2, rows, columns] of the elements of `x`, over and over. */
function matrices(x: Node, rows: number, columns: number): Node {
  const line = graph.reshape(floats(x), [elementCount(x.shape)]);
  const long = graph.reshape(repeated(line, 2 * rows * columns), [elementCount(x.shape) * 2 * rows * columns]);
  return graph.reshape(graph.slice(long, [0], [2 * rows * columns]), [2, rows, columns]);
}

const contractions: readonly Redundancy[] = [
  (x) => graph.contraction(matrices(x, 3, 1), matrices(x, 1, 4)),
  (x) => graph.unary("tanh", graph.permute(graph.contraction(matrices(x, 3, 2), matrices(x, 2, 4)), [0, 2, 1])),
  (x) => {
    const one = graph.slice(matrices(x, 2, 4), [0, 0, 0], [1, 2, 4]);
    return graph.unary("tanh", graph.contraction(matrices(x, 3, 2), graph.expand(one, [2, 2, 4])));
  },
];

/** All of them. */
export const REDUNDANCIES: readonly Redundancy[] = [
  ...arithmetic, ...views, ...joins, ...reductions, ...contractions,
]; // prettier-ignore
