/**
 * Constructors of nodes, one for each primitive of `ir.ts`: the only way to make a graph.
 *
 * `infer.ts` checks shapes and dtypes (ShapeError, OptionError). What can be seen at the inputs alone is simplified at
 * once, so that graphs stay small while they are built: constants fold, views of views merge, and a view that changes
 * nothing returns its input. All else is left to the tables of `passes/`.
 */
import { InvariantError } from "../../base/errors.ts";
import type { DType } from "../layout/dtype.ts";
import { elementCount, sameShape } from "../layout/shape.ts";
import * as check from "./check.ts";
import {
  constantValue,
  foldedBinary,
  foldedBitcast,
  foldedCast,
  foldedUnary,
  reduceIdentity,
  storedValue,
} from "./fold.ts";
import { inferNode, type Claim } from "./infer.ts";
import type { BinaryFunction, Distribution, Node, Primitive, ReduceFunction, Shape, UnaryFunction } from "./ir.ts";

const NO_CLAIM: Claim = { shape: [], dtype: "float32" };

function make(primitive: Primitive, inputs: readonly Node[], claim: Partial<Claim> = NO_CLAIM): Node {
  const { shape, dtype } = inferNode(primitive, inputs, { ...NO_CLAIM, ...claim });
  return { primitive, inputs, shape, dtype };
}

/** The size of an axis that was checked to exist. */
function sizeAt(shape: Shape, axis: number): number {
  return shape[axis] ?? 1;
}

/** A leaf: every call makes another one. Its bytes are the runtime's. */
export function buffer(shape: Shape, dtype: DType): Node {
  return make({ kind: "buffer" }, [], { shape: [...shape], dtype });
}

/** `value` everywhere; float32 is rounded. */
export function constant(value: number, shape: Shape, dtype: DType): Node {
  return make({ kind: "constant", value: storedValue(value, dtype) }, [], { shape: [...shape], dtype });
}

/** out[i] = i along `axis`, int32. */
export function iota(shape: Shape, axis: number): Node {
  const made = make({ kind: "iota", axis }, [], { shape: [...shape] });
  return shape[axis] === 1 ? constant(0, shape, "int32") : made;
}

/**
 * Of the words of Philox4x32-10 for the counter (element's index, 0, 0, 0) under `key`, uint32 [2]: the first one
 * (uint32), or the normal or exponential number (float32) that `base/fixed-point.ts` makes of the first two.
 */
export function random(key: Node, shape: Shape, distribution: Distribution = "bits"): Node {
  return make({ kind: "random", distribution }, [key], { shape: [...shape] });
}

/** Arithmetic on float16 is done in float32 and rounded: the same bits whatever is fused. */
function inFloat32(x: Node): Node {
  return x.dtype === "float16" ? cast(x, "float32") : x;
}

/** fn(x): `not` of bool; negate, abs and sign of float32 and int32; the others of float32. */
export function unary(fn: UnaryFunction, x: Node): Node {
  if (x.dtype === "float16") return cast(unary(fn, inFloat32(x)), "float16");
  const made = make({ kind: "unary", fn }, [x]);
  const value = constantValue(x);
  return value === undefined ? made : constant(foldedUnary(fn, value, x.dtype), x.shape, x.dtype);
}

/** fn(a, b) of one shape and dtype; comparisons give bool. `and` and `or` are bitwise on integers. */
export function binary(fn: BinaryFunction, a: Node, b: Node): Node {
  if (a.dtype === "float16" && b.dtype === "float16") {
    const result = binary(fn, inFloat32(a), inFloat32(b));
    return result.dtype === "bool" ? result : cast(result, "float16");
  }
  const made = make({ kind: "binary", fn }, [a, b]);
  const x = constantValue(a);
  const y = constantValue(b);
  if (x === undefined || y === undefined) return made;
  return constant(foldedBinary(fn, x, y, a.dtype), made.shape, made.dtype);
}

/** condition ? a : b, by element. */
export function select(condition: Node, a: Node, b: Node): Node {
  const made = make({ kind: "select" }, [condition, a, b]);
  const chosen = constantValue(condition);
  return chosen === undefined ? made : chosen === 0 ? b : a;
}

/** To `dtype`: float to integer truncates and saturates, anything to bool is x != 0. */
export function cast(x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  const [inner] = x.inputs;
  // Widened and not changed since: rounding gives it back.
  if (dtype === "float16" && x.primitive.kind === "cast" && inner?.dtype === "float16") return inner;
  const value = constantValue(x);
  if (value !== undefined) return constant(foldedCast(value, x.dtype, dtype), x.shape, dtype);
  return make({ kind: "cast" }, [x], { dtype });
}

/** The bits of `x` as `dtype`: float32, int32 and uint32 to each other. */
export function bitcast(x: Node, dtype: DType): Node {
  const source = inputOf(x, "bitcast");
  const made = make({ kind: "bitcast" }, [source], { dtype });
  if (x.dtype === dtype) return x;
  const value = constantValue(x);
  const folded = value === undefined ? Number.NaN : foldedBitcast(value, x.dtype, dtype);
  if (!Number.isNaN(folded)) return constant(folded, x.shape, dtype);
  return source.dtype === dtype ? source : made;
}

/** The input of `x` when `x` is a view of this kind: two of them merge. */
function inputOf(x: Node, kind: Primitive["kind"]): Node {
  return x.primitive.kind === kind ? (x.inputs[0] ?? x) : x;
}

/** A view of a constant is a smaller or larger constant. */
function constantView(x: Node, shape: Shape): Node | undefined {
  const value = constantValue(x);
  return value === undefined ? undefined : constant(value, shape, x.dtype);
}

/** The same elements in row-major order under another shape. */
export function reshape(x: Node, shape: Shape): Node {
  const source = inputOf(x, "reshape");
  const made = make({ kind: "reshape" }, [source], { shape: [...shape] });
  return sameShape(source.shape, shape) ? source : (constantView(x, shape) ?? made);
}

/** out axis i is x axis order[i]. */
export function permute(x: Node, order: readonly number[]): Node {
  const made = make({ kind: "permute", order: [...order] }, [x]);
  const { primitive } = x;
  const source = inputOf(x, "permute");
  const whole = primitive.kind === "permute" ? order.map((axis) => primitive.order[axis] ?? axis) : order;
  if (whole.every((axis, i) => axis === i)) return source;
  return constantView(x, made.shape) ?? (source === x ? made : permute(source, whole));
}

/** Axes of size 1 repeated; the ranks are equal. */
export function expand(x: Node, shape: Shape): Node {
  const made = make({ kind: "expand" }, [x], { shape: [...shape] });
  if (sameShape(x.shape, shape)) return x;
  return constantView(x, shape) ?? { ...made, inputs: [inputOf(x, "expand")] };
}

/** out[i] = x[start + i * step] on each axis, `sizes` elements; steps (1 by default) may be negative. */
export function slice(
  x: Node,
  starts: readonly number[],
  sizes: Shape,
  steps: readonly number[] = x.shape.map(() => 1),
): Node {
  const made = make({ kind: "slice", starts, steps }, [x], { shape: [...sizes] });
  const isWhole = sameShape(x.shape, sizes) && steps.every((step, axis) => step === 1 || sizes[axis] === 1);
  if (isWhole) return x;
  const { primitive } = x;
  if (primitive.kind !== "slice" || sizes.includes(0)) return constantView(x, sizes) ?? made;
  const merged = {
    starts: starts.map((start, axis) => sizeAt(primitive.starts, axis) + start * sizeAt(primitive.steps, axis)),
    steps: steps.map((step, axis) => step * sizeAt(primitive.steps, axis)),
  };
  return make({ kind: "slice", ...merged }, [inputOf(x, "slice")], { shape: [...sizes] });
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
  const { low, high, interior = x.shape.map(() => 0), value = 0 } = padding;
  check.checkPerAxis("pad", "high", high, x.shape.length, -Infinity);
  const shape = x.shape.map((size, axis) => {
    const inner = size === 0 ? 0 : (size - 1) * (sizeAt(interior, axis) + 1) + 1;
    return sizeAt(low, axis) + inner + sizeAt(high, axis);
  });
  const stored = storedValue(value, x.dtype);
  const made = make({ kind: "pad", low, interior, value: stored }, [x], { shape });
  const isApart = interior.some((count, axis) => count !== 0 && sizeAt(x.shape, axis) > 1);
  if (!isApart && low.every((count) => count === 0) && sameShape(shape, x.shape)) return x;
  return constantValue(x) === stored || elementCount(x.shape) === 0 ? constant(stored, shape, x.dtype) : made;
}

/**
 * Sliding windows: out[.., o, .., k] = x[.., o * stride + k * dilation, ..], with o at `axis` and k on a new last axis.
 */
export function window(x: Node, axis: number, size: number, stride: number = 1, dilation: number = 1): Node {
  const made = make({ kind: "window", axis, size, stride, dilation }, [x]);
  return constantView(x, made.shape) ?? made;
}

/** fn over `axes`, which keep size 1. Over nothing: 0 for sum, 1 for product, the lowest or highest value. */
export function reduce(fn: ReduceFunction, x: Node, axes: readonly number[]): Node {
  if (x.dtype === "float16") return cast(reduce(fn, inFloat32(x), axes), "float16");
  const made = make({ kind: "reduce", fn, axes: [...axes].sort((a, b) => a - b) }, [x]);
  if (sameShape(made.shape, x.shape)) return x;
  return elementCount(x.shape) === 0 ? constant(reduceIdentity(fn, x.dtype), made.shape, x.dtype) : made;
}

/** Inclusive running sum, product or maximum along `axis`. */
export function scan(fn: "sum" | "product" | "maximum", x: Node, axis: number): Node {
  if (x.dtype === "float16") return cast(scan(fn, inFloat32(x), axis), "float16");
  const made = make({ kind: "scan", fn, axis }, [x]);
  return x.shape[axis] === 1 ? x : made;
}

/** out[p] = x[p with p[axis] := indices[p]]; indices are int32, and are clamped into x. */
export function gather(x: Node, indices: Node, axis: number): Node {
  const made = make({ kind: "gather", axis }, [x, indices]);
  return constantView(x, made.shape) ?? made;
}

/**
 * out[q] = sum of x[p] over all p with indices[p] = q[axis] and p = q elsewhere; `axis` gets `size`.
 *
 * Indices are int32 with x's shape; what they put outside 0 to `size` - 1 is left out.
 */
export function scatterAdd(x: Node, indices: Node, axis: number, size: number): Node {
  if (x.dtype === "float16") return cast(scatterAdd(inFloat32(x), indices, axis, size), "float16");
  const shape = x.shape.map((old, i) => (i === axis ? size : old));
  const made = make({ kind: "scatterAdd", axis }, [x, indices], { shape });
  return elementCount(x.shape) === 0 ? constant(0, shape, x.dtype) : made;
}

let barriers = 0;

/** `x`, from which nothing is merged with what else is computed from it, and nothing runs before `after`. */
export function barrier(x: Node, after: Node): Node {
  if (constantValue(x) !== undefined) return x;
  barriers += 1;
  return make({ kind: "barrier", id: barriers }, [x, after]);
}

/** a [B, M, K] times b [B, K, N] -> [B, M, N], float32. */
export function contraction(a: Node, b: Node): Node {
  if (a.dtype === "float16" && b.dtype === "float16") return cast(contraction(inFloat32(a), inFloat32(b)), "float16");
  const made = make({ kind: "contraction" }, [a, b]);
  return a.shape[2] === 0 ? constant(0, made.shape, "float32") : made;
}

/** `node` of other inputs, alike in shape and dtype: made by its constructor, but a barrier stays the one that it is. */
export function remake(node: Node, inputs: readonly Node[]): Node {
  const { primitive, shape, dtype } = node;
  const [x, y, z] = inputs;
  if (x === undefined) return node;
  switch (primitive.kind) {
    case "random":
    case "barrier":
    case "attention":
      return make(primitive, inputs, node);
    case "unary":
      return unary(primitive.fn, x);
    case "cast":
      return cast(x, dtype);
    case "bitcast":
      return bitcast(x, dtype);
    case "reshape":
      return reshape(x, shape);
    case "permute":
      return permute(x, primitive.order);
    case "expand":
      return expand(x, shape);
    case "slice":
      return slice(x, primitive.starts, shape, primitive.steps);
    case "pad":
      return pad(x, { ...primitive, high: highOf(node) });
    case "window":
      return window(x, primitive.axis, primitive.size, primitive.stride, primitive.dilation);
    case "reduce":
      return reduce(primitive.fn, x, primitive.axes);
    case "scan":
      return scan(primitive.fn, x, primitive.axis);
    default:
      return y === undefined ? node : remakeOfTwo(node, x, y, z);
  }
}

function remakeOfTwo({ primitive, shape }: Node, x: Node, y: Node, z: Node | undefined): Node {
  switch (primitive.kind) {
    case "binary":
      return binary(primitive.fn, x, y);
    case "select":
      if (z !== undefined) return select(x, y, z);
      break;
    case "gather":
      return gather(x, y, primitive.axis);
    case "scatterAdd":
      return scatterAdd(x, y, primitive.axis, sizeAt(shape, primitive.axis));
    case "contraction":
      return contraction(x, y);
  }
  throw new InvariantError(`remake: expected the inputs of a ${primitive.kind}, found others`);
}

/** What a pad adds after each axis: the rest of its shape. */
export function highOf(node: Node): number[] {
  const { primitive, inputs, shape } = node;
  if (primitive.kind !== "pad") throw new InvariantError(`highOf: expected a pad, found a ${primitive.kind}`);
  return shape.map((size, axis) => {
    const inner = sizeAt(inputs[0]?.shape ?? [], axis);
    return (
      size - sizeAt(primitive.low, axis) - (inner === 0 ? 0 : (inner - 1) * (sizeAt(primitive.interior, axis) + 1) + 1)
    );
  });
}
