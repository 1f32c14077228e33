/**
 * Constructors of nodes, one for each primitive of `ir.ts`: the only way to make a graph.
 *
 * They check shapes and dtypes (ShapeError, OptionError), and simplify what can be seen without looking far: constants
 * fold, views of views merge, and what changes nothing returns its input.
 */
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { DType } from "../layout/dtype.ts";
import { elementCount, formatShape, sameShape } from "../layout/shape.ts";
import * as check from "./check.ts";
import {
  constantValue,
  foldedBinary,
  foldedBitcast,
  foldedCast,
  foldedUnary,
  neutralOperand,
  reduceIdentity,
  storedValue,
} from "./fold.ts";
import type { BinaryFunction, Distribution, Node, Primitive, ReduceFunction, Shape, UnaryFunction } from "./ir.ts";

const NUMBERS: readonly DType[] = ["float32", "int32", "uint32"];
const SIGNED: readonly DType[] = ["float32", "int32"];
const FLOATS: readonly DType[] = ["float32"];
const BITS: readonly DType[] = ["bool", "int32", "uint32"];

function make(primitive: Primitive, inputs: readonly Node[], shape: Shape, dtype: DType): Node {
  return { primitive, inputs, shape, dtype };
}

/** The size of an axis that was checked to exist. */
function sizeAt(shape: Shape, axis: number): number {
  return shape[axis] ?? 1;
}

function withSize(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

/** A leaf: every call makes another one. Its bytes are the runtime's. */
export function buffer(shape: Shape, dtype: DType): Node {
  check.checkShape("buffer", shape);
  return make({ kind: "buffer" }, [], [...shape], dtype);
}

/** `value` everywhere; float32 is rounded. */
export function constant(value: number, shape: Shape, dtype: DType): Node {
  check.checkShape("constant", shape);
  return make({ kind: "constant", value: storedValue(value, dtype) }, [], [...shape], dtype);
}

/** out[i] = i along `axis`, int32. */
export function iota(shape: Shape, axis: number): Node {
  check.checkShape("iota", shape);
  check.checkAxis("iota", axis, shape.length);
  if (shape[axis] === 1) return constant(0, shape, "int32");
  return make({ kind: "iota", axis }, [], [...shape], "int32");
}

/**
 * Of the words of Philox4x32-10 for the counter (element's index, 0, 0, 0) under `key`, uint32 [2]: the first one
 * (uint32), or the normal or exponential number (float32) that `base/fixed-point.ts` makes of the first two.
 */
export function random(key: Node, shape: Shape, distribution: Distribution = "bits"): Node {
  check.checkShape("random", shape);
  check.checkDType("random", key, ["uint32"]);
  if (!sameShape(key.shape, [2])) {
    throw new ShapeError(`random: expected a key of shape [2], found ${formatShape(key.shape)}`);
  }
  return make({ kind: "random", distribution }, [key], [...shape], distribution === "bits" ? "uint32" : "float32");
}

/** Arithmetic on float16 is done in float32 and rounded: the same bits whatever is fused. */
function inFloat32(x: Node): Node {
  return x.dtype === "float16" ? cast(x, "float32") : x;
}

function unaryDTypes(fn: UnaryFunction): readonly DType[] {
  if (fn === "not") return ["bool"];
  return fn === "negate" || fn === "abs" || fn === "sign" ? SIGNED : FLOATS;
}

/** fn(x): `not` of bool; negate, abs and sign of float32 and int32; the others of float32. */
export function unary(fn: UnaryFunction, x: Node): Node {
  if (x.dtype === "float16") return cast(unary(fn, inFloat32(x)), "float16");
  check.checkDType(fn, x, unaryDTypes(fn));
  const value = constantValue(x);
  if (value !== undefined) return constant(foldedUnary(fn, value, x.dtype), x.shape, x.dtype);
  const [inner] = x.inputs;
  const undoes = fn === "negate" || fn === "not";
  if (undoes && x.primitive.kind === "unary" && x.primitive.fn === fn && inner !== undefined) return inner;
  return make({ kind: "unary", fn }, [x], x.shape, x.dtype);
}

const COMPARISONS: ReadonlySet<BinaryFunction> = new Set(["less", "lessEqual", "equal", "notEqual"]);

function binaryDTypes(fn: BinaryFunction): readonly DType[] {
  if (fn === "and" || fn === "or") return BITS;
  return fn === "equal" || fn === "notEqual" ? ["bool", ...NUMBERS] : NUMBERS;
}

/** fn(a, b) of one shape and dtype; comparisons give bool. `and` and `or` are bitwise on integers. */
export function binary(fn: BinaryFunction, a: Node, b: Node): Node {
  if (a.dtype === "float16" && b.dtype === "float16") {
    const result = binary(fn, inFloat32(a), inFloat32(b));
    return result.dtype === "bool" ? result : cast(result, "float16");
  }
  check.checkDType(fn, a, binaryDTypes(fn));
  check.checkSameDType(fn, a, b);
  check.checkSameShape(fn, a, b);
  const dtype = COMPARISONS.has(fn) ? "bool" : a.dtype;
  const x = constantValue(a);
  const y = constantValue(b);
  if (x !== undefined && y !== undefined) return constant(foldedBinary(fn, x, y, a.dtype), a.shape, dtype);
  if (fn === "power" && y === 2) return binary("multiply", a, a);
  return neutralOperand(fn, a, b) ?? make({ kind: "binary", fn }, [a, b], a.shape, dtype);
}

/** condition ? a : b, by element. */
export function select(condition: Node, a: Node, b: Node): Node {
  check.checkDType("select", condition, ["bool"]);
  check.checkSameDType("select", a, b);
  check.checkSameShape("select", a, b);
  check.checkSameShape("select", condition, a);
  const chosen = constantValue(condition);
  if (chosen !== undefined) return chosen === 0 ? b : a;
  return a === b ? a : make({ kind: "select" }, [condition, a, b], a.shape, a.dtype);
}

/** To `dtype`: float to integer truncates and saturates, anything to bool is x != 0. */
export function cast(x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  const [inner] = x.inputs;
  // Widened and not changed since: rounding gives it back.
  if (dtype === "float16" && x.primitive.kind === "cast" && inner?.dtype === "float16") return inner;
  const value = constantValue(x);
  if (value !== undefined) return constant(foldedCast(value, x.dtype, dtype), x.shape, dtype);
  return make({ kind: "cast" }, [x], x.shape, dtype);
}

/** The bits of `x` as `dtype`: float32, int32 and uint32 to each other. */
export function bitcast(x: Node, dtype: DType): Node {
  check.checkDType("bitcast", x, NUMBERS);
  check.checkDType("bitcast", constant(0, [], dtype), NUMBERS);
  if (x.dtype === dtype) return x;
  const value = constantValue(x);
  const folded = value === undefined ? Number.NaN : foldedBitcast(value, x.dtype, dtype);
  if (!Number.isNaN(folded)) return constant(folded, x.shape, dtype);
  const source = inputOf(x, "bitcast");
  return source.dtype === dtype ? source : make({ kind: "bitcast" }, [source], x.shape, dtype);
}

/** The input of `x` when `x` is a view of this kind: two of them merge. */
function inputOf(x: Node, kind: Primitive["kind"]): Node {
  return x.primitive.kind === kind ? (x.inputs[0] ?? x) : x;
}

/** A view's result where no index matters: `x` itself when the shape stays, a smaller or larger constant for a constant. */
function constantView(x: Node, shape: Shape): Node | undefined {
  const value = constantValue(x);
  return value === undefined ? undefined : constant(value, shape, x.dtype);
}

/** The same elements in row-major order under another shape. */
export function reshape(x: Node, shape: Shape): Node {
  check.checkShape("reshape", shape);
  if (elementCount(shape) !== elementCount(x.shape)) {
    const expected = `a shape of ${elementCount(x.shape)} elements for ${formatShape(x.shape)}`;
    throw new ShapeError(`reshape: expected ${expected}, found ${formatShape(shape)}`);
  }
  const source = inputOf(x, "reshape");
  if (sameShape(source.shape, shape)) return source;
  return constantView(x, shape) ?? make({ kind: "reshape" }, [source], [...shape], x.dtype);
}

/** out axis i is x axis order[i]. */
export function permute(x: Node, order: readonly number[]): Node {
  const rank = x.shape.length;
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new OptionError(`permute: expected each of ${rank} axes once, found ${formatShape(order)}`);
  }
  for (const axis of order) check.checkAxis("permute", axis, rank);
  const { primitive } = x;
  const whole = primitive.kind === "permute" ? order.map((axis) => primitive.order[axis] ?? axis) : [...order];
  const source = inputOf(x, "permute");
  if (whole.every((axis, i) => axis === i)) return source;
  const shape = whole.map((axis) => sizeAt(source.shape, axis));
  return constantView(x, shape) ?? make({ kind: "permute", order: whole }, [source], shape, x.dtype);
}

/** Axes of size 1 repeated; the ranks are equal. */
export function expand(x: Node, shape: Shape): Node {
  check.checkShape("expand", shape);
  if (shape.length !== x.shape.length || !x.shape.every((size, axis) => size === 1 || size === shape[axis])) {
    throw new ShapeError(
      `expand: expected a shape that ${formatShape(x.shape)} repeats to, found ${formatShape(shape)}`,
    );
  }
  if (sameShape(x.shape, shape)) return x;
  return constantView(x, shape) ?? make({ kind: "expand" }, [inputOf(x, "expand")], [...shape], x.dtype);
}

/** out[i] = x[start + i * step] on each axis, `sizes` elements; steps (1 by default) may be negative. */
export function slice(
  x: Node,
  starts: readonly number[],
  sizes: Shape,
  steps: readonly number[] = x.shape.map(() => 1),
): Node {
  const rank = x.shape.length;
  check.checkPerAxis("slice", "starts", starts, rank, 0);
  check.checkPerAxis("slice", "sizes", sizes, rank, 0);
  check.checkPerAxis("slice", "steps", steps, rank, -Infinity);
  for (const [axis, size] of sizes.entries()) checkSliced(x, axis, sizeAt(starts, axis), size, sizeAt(steps, axis));
  const isWhole = sameShape(x.shape, sizes) && steps.every((step, axis) => step === 1 || sizes[axis] === 1);
  if (isWhole) return x;
  const constantSlice = constantView(x, sizes);
  if (constantSlice !== undefined) return constantSlice;
  const { primitive } = x;
  if (primitive.kind !== "slice") return make({ kind: "slice", starts, steps }, [x], [...sizes], x.dtype);
  const merged = {
    starts: starts.map((start, axis) => sizeAt(primitive.starts, axis) + start * sizeAt(primitive.steps, axis)),
    steps: steps.map((step, axis) => step * sizeAt(primitive.steps, axis)),
  };
  return make({ kind: "slice", ...merged }, [inputOf(x, "slice")], [...sizes], x.dtype);
}

function checkSliced(x: Node, axis: number, start: number, size: number, step: number): void {
  const length = sizeAt(x.shape, axis);
  const last = start + (size - 1) * step;
  if (size === 0 || (step !== 0 && start < length && last >= 0 && last < length)) return;
  throw new ShapeError(
    `slice: expected elements 0 to ${length - 1} of axis ${axis}, found ${start} to ${last} in steps of ${step}`,
  );
}

/** How `pad` extends: elements before and after each axis, and between neighbours. */
export interface Padding {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior?: readonly number[];
  readonly value?: number;
}

/** `value` (0 by default), with x[i] at low + i * (interior + 1) on each axis. Negative `low` and `high` cut off. */
export function pad(x: Node, padding: Padding): Node {
  const rank = x.shape.length;
  const { low, high, interior = x.shape.map(() => 0), value = 0 } = padding;
  check.checkPerAxis("pad", "low", low, rank, -Infinity);
  check.checkPerAxis("pad", "high", high, rank, -Infinity);
  check.checkPerAxis("pad", "interior", interior, rank, 0);
  const shape = x.shape.map((size, axis) => {
    const inner = size === 0 ? 0 : (size - 1) * (sizeAt(interior, axis) + 1) + 1;
    return sizeAt(low, axis) + inner + sizeAt(high, axis);
  });
  check.checkShape("pad", shape);
  const stored = storedValue(value, x.dtype);
  const isApart = interior.some((count, axis) => count !== 0 && sizeAt(x.shape, axis) > 1);
  if (!isApart && low.every((count) => count === 0) && sameShape(shape, x.shape)) return x;
  if (constantValue(x) === stored || elementCount(x.shape) === 0) return constant(stored, shape, x.dtype);
  return make({ kind: "pad", low, interior, value: stored }, [x], shape, x.dtype);
}

/**
 * Sliding windows: out[.., o, .., k] = x[.., o * stride + k * dilation, ..], with o at `axis` and k on a new last axis.
 */
export function window(x: Node, axis: number, size: number, stride: number = 1, dilation: number = 1): Node {
  check.checkAxis("window", axis, x.shape.length);
  check.checkPerAxis("window", "size, stride and dilation", [size, stride, dilation], 3, 1);
  const length = sizeAt(x.shape, axis);
  const span = (size - 1) * dilation + 1;
  if (span > length) {
    throw new ShapeError(`window: expected windows of at most ${length} elements at axis ${axis}, found ${span}`);
  }
  const shape = [...withSize(x.shape, axis, Math.floor((length - span) / stride) + 1), size];
  return constantView(x, shape) ?? make({ kind: "window", axis, size, stride, dilation }, [x], shape, x.dtype);
}

/** fn over `axes`, which keep size 1. Over nothing: 0 for sum, 1 for product, the lowest or highest value. */
export function reduce(fn: ReduceFunction, x: Node, axes: readonly number[]): Node {
  if (x.dtype === "float16") return cast(reduce(fn, inFloat32(x), axes), "float16");
  check.checkDType(fn, x, NUMBERS);
  for (const axis of axes) check.checkAxis(fn, axis, x.shape.length);
  if (new Set(axes).size !== axes.length) {
    throw new OptionError(`${fn}: expected distinct axes, found ${formatShape(axes)}`);
  }
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  if (sameShape(shape, x.shape)) return x;
  if (elementCount(x.shape) === 0) return constant(reduceIdentity(fn, x.dtype), shape, x.dtype);
  const sorted = [...axes].sort((a, b) => a - b);
  return make({ kind: "reduce", fn, axes: sorted }, [x], shape, x.dtype);
}

/** Inclusive running sum, product or maximum along `axis`. */
export function scan(fn: "sum" | "product" | "maximum", x: Node, axis: number): Node {
  if (x.dtype === "float16") return cast(scan(fn, inFloat32(x), axis), "float16");
  check.checkDType(`scan ${fn}`, x, NUMBERS);
  check.checkAxis(`scan ${fn}`, axis, x.shape.length);
  if (x.shape[axis] === 1) return x;
  return make({ kind: "scan", fn, axis }, [x], x.shape, x.dtype);
}

/** out[p] = x[p with p[axis] := indices[p]]; indices are int32, and are clamped into x. */
export function gather(x: Node, indices: Node, axis: number): Node {
  check.checkAxis("gather", axis, x.shape.length);
  check.checkDType("gather", indices, ["int32"]);
  check.checkSameShapeBut("gather", axis, x, indices);
  if (x.shape[axis] === 0 && elementCount(indices.shape) > 0) {
    throw new ShapeError(`gather: expected elements to pick along axis ${axis}, found ${formatShape(x.shape)}`);
  }
  return constantView(x, indices.shape) ?? make({ kind: "gather", axis }, [x, indices], indices.shape, x.dtype);
}

/**
 * out[q] = sum of x[p] over all p with indices[p] = q[axis] and p = q elsewhere; `axis` gets `size`.
 *
 * Indices are int32 with x's shape; what they put outside 0 to `size` - 1 is left out.
 */
export function scatterAdd(x: Node, indices: Node, axis: number, size: number): Node {
  if (x.dtype === "float16") return cast(scatterAdd(inFloat32(x), indices, axis, size), "float16");
  check.checkDType("scatterAdd", x, NUMBERS);
  check.checkAxis("scatterAdd", axis, x.shape.length);
  check.checkDType("scatterAdd", indices, ["int32"]);
  check.checkSameShape("scatterAdd", x, indices);
  const shape = withSize(x.shape, axis, size);
  check.checkShape("scatterAdd", shape);
  if (elementCount(x.shape) === 0) return constant(0, shape, x.dtype);
  return make({ kind: "scatterAdd", axis }, [x, indices], shape, x.dtype);
}

let barriers = 0;

/** `x`, from which nothing is merged with what else is computed from it, and nothing runs before `after`. */
export function barrier(x: Node, after: Node): Node {
  if (constantValue(x) !== undefined) return x;
  barriers += 1;
  return make({ kind: "barrier", id: barriers }, [x, after], x.shape, x.dtype);
}

/** a [B, M, K] times b [B, K, N] -> [B, M, N], float32. */
export function contraction(a: Node, b: Node): Node {
  if (a.dtype === "float16" && b.dtype === "float16") return cast(contraction(inFloat32(a), inFloat32(b)), "float16");
  check.checkDType("contraction", a, FLOATS);
  check.checkDType("contraction", b, FLOATS);
  const [batch = 0, rows = 0, inner = 0] = a.shape;
  const fits = a.shape.length === 3 && b.shape.length === 3 && b.shape[0] === batch && b.shape[1] === inner;
  if (!fits) {
    const found = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
    throw new ShapeError(`contraction: expected shapes [B, M, K] and [B, K, N], found ${found}`);
  }
  const shape = [batch, rows, sizeAt(b.shape, 2)];
  if (inner === 0) return constant(0, shape, "float32");
  return make({ kind: "contraction" }, [a, b], shape, "float32");
}
