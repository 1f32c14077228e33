/**
 * A problem as a graph of its own, with values to compute it for: what candidates are checked and timed on.
 *
 * The values are small integers, so that every sum and product on the way is exact in float32, in whatever order and
 * with whatever fused: candidates that are right agree to the bit, and no tolerance hides one that is not. Attention has
 * exponentials, and a tolerance.
 */
import { assert } from "../../../base/assert.ts";
import { bytesOf, type Bytes } from "../../../base/bytes.ts";
import { encodeFloat16 } from "../../../base/float16.ts";
import type { OperandLayout } from "../../kernels/contraction/operand-layout.ts";
import type { DType } from "../../layout/dtype.ts";
import { elementCount } from "../../layout/shape.ts";
import { attention, attentionKeyValueGradient, attentionQueryGradient } from "../attention.ts";
import {
  binary,
  buffer,
  cast,
  constant,
  contraction,
  expand,
  iota,
  permute,
  reduce,
  scan,
  select,
  unary,
} from "../graph.ts";
import type { Node, Shape } from "../ir.ts";
import type {
  AttentionProblem,
  ContractionProblem,
  ElementwiseProblem,
  Problem,
  RowsProblem,
  ScanProblem,
} from "./problem.ts";

export interface MicroInput {
  readonly leaf: Node;
  /** As the device stores them. */
  readonly bytes: Bytes;
}

export interface MicroProblem {
  readonly outputs: readonly Node[];
  readonly inputs: readonly MicroInput[];
  /** How far results may be apart, of the largest: 0 where all are exact. */
  readonly tolerance: number;
}

/** Of sums of some thousand float32 with exponentials between. */
const ATTENTION_TOLERANCE = 1e-4;

/** Of what is stored. */
const VALUE_MAX = 4;
/** Rounds of arithmetic that make an element heavy. */
const HEAVY_ROUNDS = 8;

export function microProblem(problem: Problem): MicroProblem {
  switch (problem.kind) {
    case "contraction":
      return ofContraction(problem);
    case "elementwise":
      return ofElementwise(problem);
    case "rows":
      return ofRows(problem);
    case "attention":
      return ofAttention(problem);
    case "scan":
      return ofScan(problem);
  }
}

function ofScan({ dtype, fn, lines, size }: ScanProblem): MicroProblem {
  const type: DType = dtype === "int32" || dtype === "uint32" ? dtype : "float32";
  const shape = [lines, size];
  const input = inputOf(shape, type, 1);
  const fill = (value: number): Node => expand(constant(value, [1, 1], type), shape);
  // Products of ones, for those of larger numbers leave the range.
  const sign = (): Node => select(binary("less", input.leaf, fill(0)), fill(type === "uint32" ? 1 : -1), fill(1));
  return { outputs: [scan(fn, fn === "product" ? sign() : input.leaf, 1)], inputs: [input], tolerance: 0 };
}

function ofContraction({ batch, rows, inner, columns, left, right }: ContractionProblem): MicroProblem {
  const a = operand([batch, rows, inner], left, 1);
  const b = operand([batch, inner, columns], right, 2);
  return { outputs: [contraction(a.node, b.node)], inputs: [a.input, b.input], tolerance: 0 };
}

function operand(
  [batch, rows, columns]: readonly [number, number, number],
  { layout, dtype }: { readonly layout: OperandLayout; readonly dtype: DType },
  seed: number,
): { node: Node; input: MicroInput } {
  const stored = layout === "N" ? [batch, rows, columns] : [batch, columns, rows];
  const input = inputOf(stored, dtype === "float16" ? "float16" : "float32", seed);
  const wide = cast(input.leaf, "float32");
  return { node: layout === "N" ? wide : permute(wide, [0, 2, 1]), input };
}

function ofElementwise({ dtype, count, loads, stores, isHeavy }: ElementwiseProblem): MicroProblem {
  const type: DType = dtype === "bool" ? "uint32" : dtype;
  const shape = [count];
  const inputs = Array.from({ length: loads }, (_, i) => inputOf(shape, type, i + 1));
  const fill = (value: number): Node => expand(constant(value, [1], type), shape);
  const first = inputs[0]?.leaf ?? cast(iota(shape, 0), type);
  let value = first;
  for (const { leaf } of inputs.slice(1)) value = binary("add", value, leaf);
  const isFloat = type === "float32" || type === "float16";
  for (let round = 0; isHeavy && round < HEAVY_ROUNDS; round++) {
    // Floors of halves are exact; integers wrap the same everywhere.
    if (isFloat) value = unary("floor", binary("add", binary("multiply", value, fill(0.5)), fill(round + 1)));
    else value = binary("divide", binary("add", value, fill(round + 1)), fill(2));
  }
  const outputs = [binary("add", value, fill(1))];
  // Each is computed from the one before, as an optimizer's are: so they share a kernel.
  for (let last = outputs[0]; outputs.length < stores && last !== undefined; outputs.push(last)) {
    last = binary("multiply", last, first);
  }
  return { outputs, inputs, tolerance: 0 };
}

function ofAttention(problem: AttentionProblem): MicroProblem {
  const { part, batch, group, queries, keys, depth, width, causal } = problem;
  const rows = [batch, group, queries];
  const shapes = [[...rows, depth], [batch, keys, depth], [batch, keys, width], [...rows, width], [...rows, width + 1], [...rows, depth + 2]]; // prettier-ignore
  const inputs = shapes.map((shape, i) => inputOf(shape, "float32", i + 1));
  const [q, k, v, grad, result, queryGradient] = inputs.map(({ leaf }) => leaf) as [Node, Node, Node, Node, Node, Node];
  const nodes = { q, k, v, mask: null, factor: null };
  // Scores from -1 to 1: no exponential is out of range, whatever is taken for the logarithm of their sum.
  const options = { scale: 1 / (depth * VALUE_MAX ** 2), causal, offset: 0 };
  assert(part !== "gradMask", "microProblem: expected a kernel with candidates, found the gradient by a mask");
  const output = {
    forward: () => attention(nodes, options),
    gradQuery: () => attentionQueryGradient(nodes, options, grad, result),
    gradKeyValue: () => attentionKeyValueGradient(nodes, options, grad, queryGradient),
  }[part]();
  const read = inputs.filter(({ leaf }) => output.inputs.includes(leaf));
  return { outputs: [output], inputs: read, tolerance: ATTENTION_TOLERANCE };
}

/** Every sweep reduces what the one before has left, in small integers; so do all of its reductions. */
function ofRows(problem: RowsProblem): MicroProblem {
  const { dtype, rows, columns, isAcross, sweeps, reductions, loads, stores } = problem;
  const type: DType = dtype === "bool" ? "uint32" : dtype;
  const [shape, axis] = isAcross ? [[columns, rows], 0] : [[rows, columns], 1];
  const inputs = Array.from({ length: Math.max(1, loads) }, (_, i) => inputOf(shape, type, i + 1));
  const working: DType = type === "float16" ? "float32" : type;
  const fill = (value: number): Node => expand(constant(value, [1, 1], working), shape);
  const bounded = (x: Node): Node => binary("maximum", binary("minimum", x, fill(VALUE_MAX)), fill(0));
  let value = inputs.map(({ leaf }) => cast(leaf, working)).reduce((a, b) => binary("add", a, b));
  const results: Node[] = [];
  // What is stored of elements takes a sweep of its own, or is what the only one reduces. Each comes from the one before.
  const reducing = stores > 0 && sweeps > 1 ? sweeps - 1 : sweeps;
  // No two of these merge.
  const raised = (x: Node): Node => binary("maximum", binary("add", x, fill(1)), fill(0));
  const elementsOf = (): Node[] => Array.from({ length: stores }, () => (value = raised(value)));
  const reduced = reducing === sweeps ? elementsOf() : [];
  for (let sweep = 0; sweep < reducing; sweep++) {
    const own = Math.max(1, Math.round((reductions * (sweep + 1)) / reducing) - results.length);
    const last = Array.from({ length: own }, (_, i) => {
      const raised = i === 0 ? value : bounded(binary("add", value, fill(i)));
      return reduce((sweep + i) % 2 === 0 ? "sum" : "maximum", raised, [axis]);
    });
    results.push(...last);
    for (const result of last) value = bounded(binary("subtract", value, expand(result, shape)));
  }
  return {
    outputs: reducing === sweeps ? [...reduced, results.reduce((a, b) => binary("add", a, b))] : elementsOf(),
    inputs,
    tolerance: 0,
  };
}

/** Integers from -4 to 4, from 0 where the dtype has no negative ones. */
function inputOf(shape: Shape, dtype: DType, seed: number): MicroInput {
  const leaf = buffer(shape, dtype);
  const count = elementCount(shape);
  const values = new Int32Array(count);
  const low = dtype === "uint32" ? 0 : -VALUE_MAX;
  for (let i = 0; i < count; i++) values[i] = low + (scrambled(i, seed) % (VALUE_MAX - low + 1));
  return { leaf, bytes: stored(values, dtype) };
}

function stored(values: Int32Array<ArrayBuffer>, dtype: DType): Bytes {
  switch (dtype) {
    case "float32":
      return bytesOf(Float32Array.from(values));
    case "float16": {
      const words = new Uint16Array(2 * Math.ceil(values.length / 2));
      words.set(encodeFloat16(Float32Array.from(values)));
      return bytesOf(words);
    }
    case "int32":
    case "uint32":
    case "bool":
      return bytesOf(values);
  }
}

/** 31 bits that look random, a function of the place and the seed: Philox would take longer than the kernels. */
function scrambled(place: number, seed: number): number {
  let bits = Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return (bits ^ (bits >>> 15)) >>> 1;
}
