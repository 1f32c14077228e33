/** Passes that are broken on purpose, and the check that catches each: it names the pass, what holds no longer, the node. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import { InvariantError } from "../../../../src/base/errors.ts";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { checkLegality } from "../../../../src/compute/compiler/passes/legality.ts";
import { optimize, type Pass } from "../../../../src/compute/compiler/passes/optimize.ts";
import { inTopologicalOrder, rewrite, type Rewritten } from "../../../../src/compute/compiler/walk-graph.ts";
import { wholeRandomGraph } from "../random-graph.ts";

const x = graph.buffer([2, 3], "float32");
const other = graph.buffer([2, 3], "float32");
const key = graph.buffer([2], "uint32");
const noise = graph.random(key, [2, 3], "normal");
const kept = graph.barrier(graph.unary("tanh", x), graph.reduce("sum", x, [1]));
const sum = graph.binary("add", graph.binary("add", graph.unary("exp", x), noise), kept);
const before = [sum, graph.unary("sin", x), graph.cast(x, "int32"), graph.reduce("maximum", other, [0])];

function isUnary(node: Node, fn: string): boolean {
  return node.primitive.kind === "unary" && node.primitive.fn === fn;
}

/** A pass that puts `change`'s results in the place of nodes, and is honest about it. */
function replacing(change: (node: Node) => Node): (outputs: readonly Node[]) => Rewritten {
  return (outputs) => rewrite(outputs, change);
}

/** Changes that constructors would refuse. */
function forged(of: (node: Node) => boolean, change: (node: Node) => Partial<Node>): (node: Node) => Node {
  return (node) => (of(node) ? { ...node, ...change(node) } : node);
}

/** As `forged`, with parts of the graph made anew that do not say so: the pass claims that nodes stayed. */
function hidden(of: (node: Node) => boolean, change: (node: Node) => Node): (outputs: readonly Node[]) => Rewritten {
  return (outputs) => {
    const inside = rewrite(outputs, (node) => (of(node) ? change(node) : node));
    return { ...inside, became: (node) => (of(node) ? node : inside.became(node)) };
  };
}

const isRandom = (node: Node): boolean => node.primitive.kind === "random";
const isBarrier = (node: Node): boolean => node.primitive.kind === "barrier";

function inCircle(outputs: readonly Node[]): Rewritten {
  const result = rewrite(outputs, (node) => node);
  const [first] = result.outputs;
  if (first === undefined) return result;
  const inputs: Node[] = [];
  const circle = { ...first, inputs };
  inputs.push(graph.unary("negate", circle), ...first.inputs.slice(1));
  return { ...result, outputs: [circle, ...result.outputs.slice(1)] };
}

const BROKEN: readonly (readonly [name: string, run: (outputs: readonly Node[]) => Rewritten, message: string])[] = [
  ["a wrong shape", replacing(forged((node) => isUnary(node, "exp"), () => ({ shape: [3, 2] }))),
    "add: expected operands of one shape"],
  ["a wrong shape, on the way", replacing((node) => (isUnary(node, "exp") ? graph.reshape(node, [6]) : node)),
    "add: expected operands of one shape"],
  ["a wrong shape, at the end", replacing((node) => (isUnary(node, "sin") ? graph.reshape(node, [6]) : node)),
    "a node becomes one of its shape and dtype, found reshape float32 [6] for sin float32 [2, 3]"],
  ["a wrong shape inside of what it makes", replacing((node) => (isUnary(node, "sin") ? graph.reshape({ ...graph.unary("cos", x), shape: [3, 2] }, [2, 3]) : node)),
    "shapes, dtypes, axes and ranges follow from the inputs, found cos float32 [3, 2], which is cos float32 [2, 3] by its inputs"],
  ["a wrong dtype", replacing(forged((node) => isUnary(node, "sin"), () => ({ dtype: "int32" }))),
    "a node becomes one of its shape and dtype, found sin int32 [2, 3] for sin float32 [2, 3]"],
  ["a dtype that does not follow", replacing((node) => (isUnary(node, "sin") ? { ...node, inputs: [graph.cast(x, "int32")] } : node)),
    "shapes, dtypes, axes and ranges follow from the inputs, found sin float32 [2, 3]: sin: expected float32, found int32"],
  ["an axis that is not there", replacing((node) => (node.primitive.kind === "reduce" ? { ...node, primitive: { ...node.primitive, axes: [2] } } : node)),
    "shapes, dtypes, axes and ranges follow from the inputs, found"],
  ["a missing input", replacing(forged((node) => isUnary(node, "sin"), () => ({ primitive: { kind: "binary", fn: "add" } }))),
    "binary: expected 2 inputs, found 1"],
  ["a view past the end", replacing((node) => (isUnary(node, "sin") ? { primitive: { kind: "slice", starts: [1, 0], steps: [1, 1] }, inputs: [x], shape: [2, 3], dtype: "float32" } : node)),
    "slice: expected elements 0 to 1 of axis 0, found 1 to 2"],
  ["more elements than can be counted", replacing((node) => (isUnary(node, "sin") ? graph.slice({ primitive: { kind: "expand" }, inputs: [graph.reshape(graph.slice(x, [0, 0], [1, 1]), [1, 1])], shape: [65536, 65536], dtype: "float32" }, [0, 0], [2, 3]) : node)),
    "expand: expected sizes that are whole numbers from 0, and at most 2147483647 elements, found [65536, 65536]"],
  ["a constant that its dtype does not hold", replacing((node) => (node.primitive.kind === "cast" ? { primitive: { kind: "constant", value: 0.5 }, inputs: [], shape: [2, 3], dtype: "int32" } : node)),
    "constants are what their dtype holds, found 0.5 in constant int32 [2, 3]"],
  ["swapped outputs", (outputs) => ({ ...rewrite(outputs, (node) => node), outputs: [1, 0, 2, 3].map((i) => outputs[i] ?? x) }),
    "outputs keep their count and order, found sin float32 [2, 3] as output 0, for add float32 [2, 3]"],
  ["a lost output", (outputs) => ({ ...rewrite(outputs, (node) => node), outputs: outputs.slice(1) }),
    "outputs keep their count and order, found 3 outputs for 4"],
  ["an output that is another", (outputs) => ({ ...rewrite(outputs, (node) => node), outputs: outputs.with(1, graph.unary("cos", x)) }),
    "outputs keep their count and order, found cos float32 [2, 3] as output 1, for sin float32 [2, 3]"],
  ["a leaf for another", replacing((node) => (node === other ? x : node)),
    "leaves stay themselves, found buffer float32 [2, 3] for buffer float32 [2, 3]"],
  ["a lost leaf", replacing((node) => (node === other ? graph.constant(0, [2, 3], "float32") : node)),
    "leaves stay themselves, found constant float32 [2, 3] for buffer float32 [2, 3]"],
  ["a leaf from nowhere", replacing((node) => (isUnary(node, "sin") ? graph.unary("sin", graph.buffer([2, 3], "float32")) : node)),
    "no leaf, random number or barrier comes in, found buffer float32 [2, 3]"],
  ["a changed random key", replacing((node) => (isRandom(node) ? graph.random(graph.binary("add", key, key), [2, 3], "normal") : node)),
    "random numbers keep their keys and places, found others for random float32 [2, 3]"],
  ["a random key changed in secret", hidden(isRandom, () => graph.random(graph.binary("add", key, key), [2, 3], "normal")),
    "no leaf, random number or barrier comes in, found random float32 [2, 3], which no node became"],
  ["random numbers at other places", hidden(isRandom, () => graph.reshape(graph.random(key, [3, 2], "normal"), [2, 3])),
    "no leaf, random number or barrier comes in, found random float32 [3, 2]"],
  ["random numbers of another distribution", replacing((node) => (isRandom(node) ? graph.random(key, [2, 3], "exponential") : node)),
    "random numbers keep their keys and places"],
  ["a dropped barrier", replacing((node) => (isBarrier(node) ? (node.inputs[0] ?? node) : node)),
    "barriers stay, between what they were between, found tanh float32 [2, 3] for barrier float32 [2, 3]"],
  ["a barrier that no longer waits", replacing((node) => (isBarrier(node) ? { ...node, inputs: [node.inputs[0] ?? x, x] } : node)),
    "barriers stay, between what they were between"],
  ["another barrier", replacing((node) => (isBarrier(node) ? graph.barrier(node.inputs[0] ?? x, node.inputs[1] ?? x) : node)),
    "barriers stay, between what they were between"],
  ["a circle", inCircle, "graphs have no circles, found expected no circles, found"],
  ["a node of which nothing is known", (outputs) => ({ ...rewrite(outputs, (node) => node), became: (node) => (node === x ? undefined : node) }),
    "nodes become others, found nothing for buffer float32 [2, 3]"],
]; // prettier-ignore

describe("between passes it is noticed", () => {
  test.each(BROKEN)("when a pass makes %s", (_, run, message) => {
    const broken: Pass = { name: "broken", run };
    const passes: readonly Pass[] = [{ name: "common", table: [] }, broken];
    const optimized = (): unknown => optimize(before, { passes });
    expect(optimized).toThrow(InvariantError);
    expect(optimized).toThrow(message);
    // Constructors refuse some on their own, before the check has anything to see.
    expect(optimized).toThrow(/^(the|after the) pass "broken": /);
  });
});

test("a pass that changes nothing is legal, and so is one that leaves out what nobody needs", () => {
  checkLegality(
    "nothing",
    before,
    rewrite(before, (node) => node),
  );
  const dead = graph.binary("multiply", graph.cast(sum, "int32"), graph.constant(0, [2, 3], "int32"));
  expect(optimize([dead])[0]?.primitive).toEqual({ kind: "constant", value: 0 });
});

test("what the passes make of random graphs is legal, and any output that is exchanged in it is not", () => {
  const leaves = {
    of: (shape: readonly number[], dtype: Node["dtype"]): Node => graph.buffer(shape, dtype),
    floats: (_: Random, shape: readonly number[]): Node => graph.buffer(shape, "float32"),
    integers: (_: Random, shape: readonly number[]): Node => graph.buffer(shape, "int32"),
  };
  for (let seed = 0; seed < 20; seed++) {
    const random = new Random("legality", seed);
    const outputs = wholeRandomGraph(random, leaves, 100);
    const nodes = inTopologicalOrder(optimize(outputs)).filter((node) => node.primitive.kind !== "constant");
    const wrong = random.pick(nodes);
    const at = random.below(outputs.length);
    const run = (old: readonly Node[]): Rewritten => ({ outputs: old.with(at, wrong), became: (node) => node });
    if (optimize(outputs)[at] === wrong) continue;
    expect(() => optimize(outputs, { passes: [{ name: "exchange", run }] }), `seed ${seed}`).toThrow(InvariantError);
  }
});
