/** Every primitive, compiled and run, against the evaluator. */
import { describe, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { BinaryFunction, Node, ReduceFunction, UnaryFunction } from "../../../src/compute/compiler/ir.ts";
import { expectAsEvaluated, Leaves, testDevices } from "./devices.ts";

/** A float32 function is right to a few units in the last place, relative to its largest value in the tensor. */
const TOLERANCE = 2e-6;

type Make = (leaves: Leaves, random: Random) => readonly Node[];

const cases: Record<string, Make> = {};

const UNARY: readonly UnaryFunction[] = ["negate", "abs", "sign", "floor", "ceil", "round", "trunc", "exp", "sin", "cos", "tanh", "erf"]; // prettier-ignore
cases["unary functions of floats, also of halves"] = (leaves, random) => {
  const x = leaves.floats(random, [3, 5]);
  const halves = leaves.of([7], "float32", [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5]);
  const positive = graph.unary("abs", x);
  return [
    ...UNARY.flatMap((fn) => [graph.unary(fn, x), graph.unary(fn, halves)]),
    graph.unary("log", graph.binary("add", positive, graph.constant(0.01, x.shape, "float32"))),
    graph.unary("sqrt", positive),
  ];
};

cases["unary functions of integers and bools"] = (leaves, random) => {
  const x = leaves.integers(random, [9], -4, 5);
  const isPositive = graph.binary("less", graph.constant(0, [9], "int32"), x);
  return [...(["negate", "abs", "sign"] as const).map((fn) => graph.unary(fn, x)), graph.unary("not", isPositive)];
};

const BINARY: readonly BinaryFunction[] = ["add", "subtract", "multiply", "divide", "remainder", "minimum", "maximum", "less", "lessEqual", "equal", "notEqual"]; // prettier-ignore
cases["binary functions of floats"] = (leaves, random) => {
  const [a, b] = [leaves.floats(random, [4, 3]), leaves.floats(random, [4, 3])];
  const exponent = graph.constant(1.7, [4, 3], "float32");
  return [...BINARY.map((fn) => graph.binary(fn, a, b)), graph.binary("power", graph.unary("abs", a), exponent)];
};

cases["binary functions of integers, which wrap and divide by zero"] = (leaves, random) => {
  const [a, b] = [leaves.integers(random, [40], -9, 10), leaves.integers(random, [40], -3, 4)];
  const large = leaves.of([2], "int32", [2 ** 31 - 1, 123456789]);
  const words = leaves.of([2], "uint32", [2 ** 32 - 1, 3000000000]);
  return [
    ...[...BINARY, "and" as const, "or" as const].map((fn) => graph.binary(fn, a, b)),
    graph.binary("multiply", large, large),
    graph.binary("add", large, large),
    graph.binary("multiply", words, words),
    graph.binary("add", words, words),
    graph.binary("less", words, graph.binary("subtract", words, words)),
  ];
};

cases["select and logic on bools"] = (leaves, random) => {
  const [a, b] = [leaves.floats(random, [2, 6]), leaves.floats(random, [2, 6])];
  const isLess = graph.binary("less", a, b);
  const isNegative = graph.binary("less", a, graph.constant(0, a.shape, "float32"));
  const stored = leaves.of([4], "bool", [0, 1, 1, 0]);
  const either = graph.binary("or", isLess, isNegative);
  return [graph.select(isLess, a, b), graph.binary("and", isLess, isNegative), either, graph.unary("not", stored)];
};

cases["casts between all dtypes"] = (leaves, random) => {
  const floats = leaves.floats(random, [8]);
  const integers = leaves.integers(random, [8], -3, 4);
  const words = leaves.of([3], "uint32", [0, 7, 2 ** 31 + 5]);
  const bools = leaves.of([3], "bool", [0, 1, 1]);
  const toNatural = graph.cast(graph.unary("abs", floats), "uint32");
  const casts = [floats, integers, words, bools].flatMap((x) =>
    (["float32", "int32", "bool"] as const).map((dtype) => graph.cast(x, dtype)),
  );
  return [...casts, toNatural, graph.cast(integers, "uint32"), graph.cast(bools, "uint32")];
};

cases["bits of one dtype as another"] = (leaves, random) => {
  const floats = leaves.floats(random, [8]);
  const special = leaves.of([5], "float32", [-0, 0, 1e-30, Infinity, -Infinity]);
  const words = leaves.of([3], "uint32", [0, 0x3f800000, 0xc0490fdb]);
  const sum = graph.binary("add", floats, floats);
  return [
    ...[floats, special, sum].flatMap((x) => [graph.bitcast(x, "int32"), graph.bitcast(x, "uint32")]),
    ...(["float32", "int32"] as const).map((dtype) => graph.bitcast(words, dtype)),
    graph.bitcast(
      graph.binary("and", graph.bitcast(floats, "uint32"), graph.constant(0xff800000, [8], "uint32")),
      "float32",
    ),
  ];
};

cases["constants and iota"] = () => [
  graph.constant(0.1, [2, 3], "float32"),
  graph.constant(-7, [], "int32"),
  graph.constant(1, [2], "bool"),
  graph.constant(-Infinity, [2], "float32"),
  graph.iota([2, 3, 4], 1),
  graph.iota([5], 0),
];

cases["random words, also through a view"] = (leaves) => {
  const key = leaves.of([2], "uint32", [0xdeadbeef, 42]);
  const words = graph.random(key, [3, 5]);
  return [words, graph.permute(words, [1, 0]), graph.random(key, [])];
};

cases["reshape, permute and expand, and what they merge to"] = (leaves, random) => {
  const x = leaves.floats(random, [2, 3, 4]);
  const turned = graph.permute(x, [2, 0, 1]);
  return [
    graph.reshape(x, [6, 4]),
    graph.reshape(turned, [4, 6]),
    graph.reshape(turned, [3, 8]),
    graph.permute(graph.reshape(turned, [8, 3]), [1, 0]),
    graph.expand(graph.reshape(x, [2, 3, 1, 4]), [2, 3, 5, 4]),
    graph.reshape(graph.expand(graph.reshape(x, [2, 1, 12]), [2, 2, 12]), [4, 12]),
  ];
};

cases["slices, forwards and backwards, of slices"] = (leaves, random) => {
  const x = leaves.floats(random, [5, 7]);
  const inner = graph.slice(x, [1, 6], [4, 3], [1, -3]);
  return [inner, graph.slice(inner, [3, 0], [2, 3], [-2, 1]), graph.slice(x, [4, 0], [1, 7]), graph.slice(x, [0, 0], [0, 7])]; // prettier-ignore
};

cases["pads, with gaps and cuts"] = (leaves, random) => {
  const x = leaves.floats(random, [3, 4]);
  return [
    graph.pad(x, { low: [1, 0], high: [0, 2] }),
    graph.pad(x, { low: [2, 1], high: [1, 0], interior: [1, 2], value: -1.5 }),
    graph.pad(x, { low: [-1, 1], high: [1, -2], value: 3 }),
    graph.pad(x, { low: [0, 0], high: [-2, 0], interior: [1, 0], value: 3 }),
    graph.pad(graph.permute(graph.reshape(x, [2, 6]), [1, 0]), { low: [1, 1], high: [1, 1] }),
  ];
};

cases["windows, strided and dilated"] = (leaves, random) => {
  const x = leaves.floats(random, [2, 9]);
  const image = leaves.floats(random, [1, 2, 5, 6]);
  const patches = graph.window(graph.window(image, 2, 3), 3, 3, 2);
  return [graph.window(x, 1, 3), graph.window(x, 1, 2, 3, 4), graph.window(x, 0, 2), patches];
};

const REDUCE: readonly ReduceFunction[] = ["sum", "maximum", "minimum", "product"];
cases["reductions over one axis, several and all"] = (leaves, random) => {
  const x = leaves.floats(random, [3, 4, 5]);
  const integers = leaves.integers(random, [4, 6], -3, 4);
  return [
    ...REDUCE.flatMap((fn) => [[1], [2], [0, 2], [0, 1, 2]].map((axes) => graph.reduce(fn, x, axes))),
    ...REDUCE.map((fn) => graph.reduce(fn, integers, [0])),
  ];
};

cases["long reductions, cut in parts"] = (leaves, random) => {
  const x = leaves.floats(random, [2, 20_011]);
  const tall = leaves.floats(random, [1100, 2, 17]);
  return [
    graph.reduce("sum", x, [1]),
    graph.reduce("maximum", x, [0, 1]),
    graph.reduce("sum", tall, [0]),
    graph.reduce("minimum", graph.permute(tall, [1, 0, 2]), [1]),
  ];
};

cases["scans, short and cut in chunks"] = (leaves, random) => {
  const x = leaves.floats(random, [3, 6, 2]);
  const long = leaves.integers(random, [2, 3001], -5, 6);
  const floats = leaves.floats(random, [5003]);
  return [
    ...(["sum", "product", "maximum"] as const).map((fn) => graph.scan(fn, x, 1)),
    graph.scan("sum", long, 1),
    graph.scan("maximum", long, 1),
    graph.scan("maximum", floats, 0),
    graph.scan("sum", floats, 0),
  ];
};

cases["gathers, with indices outside"] = (leaves, random) => {
  const x = leaves.floats(random, [4, 3]);
  return [
    graph.gather(x, leaves.integers(random, [9, 3], -2, 6), 0),
    graph.gather(x, leaves.integers(random, [4, 2], 0, 3), 1),
    graph.gather(graph.unary("exp", x), graph.iota([4, 3], 1), 1),
  ];
};

cases["scatters, few and many contributions, with indices outside"] = (leaves, random) => {
  const x = leaves.floats(random, [3, 4]);
  const tall = leaves.floats(random, [700, 6]);
  const rows = graph.expand(leaves.integers(random, [700, 1], -1, 31), [700, 6]);
  const integers = leaves.integers(random, [50], -9, 10);
  return [
    graph.scatterAdd(x, leaves.integers(random, [3, 4], -1, 6), 0, 5),
    graph.scatterAdd(x, leaves.integers(random, [3, 4], 0, 2), 1, 2),
    graph.scatterAdd(tall, rows, 0, 30),
    graph.scatterAdd(integers, leaves.integers(random, [50], 0, 7), 0, 7),
  ];
};

cases["contractions of every shape of tile, and of views"] = (leaves, random) => {
  const product = (batch: number, rows: number, inner: number, columns: number): Node =>
    graph.contraction(leaves.floats(random, [batch, rows, inner]), leaves.floats(random, [batch, inner, columns]));
  const a = leaves.floats(random, [2, 6, 5]);
  const b = leaves.floats(random, [6, 3, 2]);
  const turned = graph.contraction(graph.permute(a, [0, 2, 1]), graph.permute(b, [2, 0, 1]));
  const repeated = graph.contraction(a, graph.expand(leaves.floats(random, [1, 5, 4]), [2, 5, 4]));
  const computedOperand = graph.contraction(graph.unary("exp", a), graph.cast(graph.iota([2, 5, 3], 1), "float32"));
  return [product(1, 8, 8, 8), product(2, 7, 5, 9), product(3, 1, 6, 1), product(1, 5, 1, 2), turned, repeated, computedOperand]; // prettier-ignore
};

cases["tall contractions, cut along the inner axis"] = (leaves, random) => [
  graph.contraction(leaves.floats(random, [1, 9, 1024]), leaves.floats(random, [1, 1024, 10])),
  graph.contraction(leaves.floats(random, [2, 3, 1023]), leaves.floats(random, [2, 1023, 4])),
];

cases["a contraction or reduction, with what follows it in the same kernel"] = (leaves, random) => {
  const product = graph.contraction(leaves.floats(random, [1, 6, 5]), leaves.floats(random, [1, 5, 8]));
  const bias = graph.expand(leaves.floats(random, [1, 8]), [6, 8]);
  const heads = graph.permute(graph.reshape(graph.binary("add", graph.reshape(product, [6, 8]), bias), [3, 2, 4, 2]), [2, 0, 3, 1]); // prettier-ignore
  const scaled = graph.binary("multiply", heads, leaves.floats(random, heads.shape));
  const sum = graph.reduce("sum", leaves.floats(random, [7, 3]), [0]);
  return [graph.unary("tanh", scaled), graph.cast(graph.unary("round", sum), "int32")];
};

for (const device of testDevices) {
  describe.skipIf(device.missing !== undefined)(
    `${device.name} computes${device.missing ? ` (${device.missing})` : ""}`,
    () => {
      for (const [name, make] of Object.entries(cases)) {
        test(name, async () => {
          const runtime = await device.open();
          const leaves = new Leaves(runtime);
          await expectAsEvaluated(runtime, leaves, make(leaves, new Random(1, name)), TOLERANCE);
        });
      }
    },
  );
}
