/**
 * What a node is, by its primitive and its inputs: the one place that says which shapes and dtypes go together. The
 * constructors of `graph.ts` make nodes by it, and `passes/legality.ts` holds the nodes of every pass against it.
 */
import { assert } from "../../base/assert.ts";
import { InvariantError, OptionError, ShapeError } from "../../base/errors.ts";
import type { DType } from "../layout/dtype.ts";
import { elementCount, formatShape, sameShape } from "../layout/shape.ts";
import * as check from "./check.ts";
import { inferAttention } from "./infer-attention.ts";
import type { BinaryFunction, Node, Primitive, Shape, UnaryFunction } from "./ir.ts";

type Kind = Primitive["kind"];
type PrimitiveOf<K extends Kind> = Extract<Primitive, { readonly kind: K }>;

/** What of a node does not follow from its inputs: the shape that a reshape is to, the dtype of a cast. */
export type Claim = Pick<Node, "shape" | "dtype">;

const NUMBERS: readonly DType[] = ["float32", "int32", "uint32"];
const SIGNED: readonly DType[] = ["float32", "int32"];
const FLOATS: readonly DType[] = ["float32"];
const BITS: readonly DType[] = ["bool", "int32", "uint32"];

/**
 * The shape and dtype of a node with this primitive and these inputs. Where they do not follow, they are the `claim`'s,
 * if the primitive allows it.
 * @throws ShapeError, OptionError for what does not go together; InvariantError for a wrong number of inputs
 */
export function inferNode(primitive: Primitive, inputs: readonly Node[], claim: Claim): Claim {
  const [x, y, z] = inputs;
  if (primitive.kind === "attention") return inferAttention(primitive, inputs);
  if (inputs.length !== ARITY[primitive.kind]) {
    const { kind } = primitive;
    throw new InvariantError(`${kind}: expected ${ARITY[kind]} inputs, found ${inputs.length}`);
  }
  if (x === undefined) return inferLeaf(primitive, claim);
  if (y === undefined) return inferOfOne(primitive, x, claim);
  return z === undefined ? inferOfTwo(primitive, x, y, claim) : inferSelect(x, y, z);
}

const ARITY: Readonly<Record<Exclude<Kind, "attention">, number>> = {
  buffer: 0, constant: 0, iota: 0,
  random: 1, unary: 1, cast: 1, bitcast: 1, reshape: 1, permute: 1, expand: 1, slice: 1, pad: 1, window: 1, reduce: 1, scan: 1,
  binary: 2, gather: 2, scatterAdd: 2, barrier: 2, contraction: 2,
  select: 3,
}; // prettier-ignore

/** The size of an axis that was checked to exist. */
function sizeAt(shape: Shape, axis: number): number {
  return shape[axis] ?? 1;
}

function withSize(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

function inferLeaf(primitive: Primitive, { shape, dtype }: Claim): Claim {
  check.checkShape(primitive.kind, shape);
  if (primitive.kind !== "iota") return { shape, dtype };
  check.checkAxis("iota", primitive.axis, shape.length);
  return { shape, dtype: "int32" };
}

function inferOfOne(primitive: Primitive, x: Node, claim: Claim): Claim {
  switch (primitive.kind) {
    case "random":
      return inferRandom(primitive, x, claim);
    case "unary":
      check.checkDType(primitive.fn, x, unaryDTypes(primitive.fn));
      return x;
    case "cast":
      return { shape: x.shape, dtype: claim.dtype };
    case "bitcast":
      check.checkDType("bitcast", x, NUMBERS);
      check.checkDType("bitcast", claim, NUMBERS);
      return { shape: x.shape, dtype: claim.dtype };
    case "reshape":
      return { shape: reshaped(x, claim.shape), dtype: x.dtype };
    case "permute":
      return { shape: permuted(primitive, x), dtype: x.dtype };
    case "expand":
      return { shape: expanded(x, claim.shape), dtype: x.dtype };
    case "slice":
      checkSlice(primitive, x, claim.shape);
      return { shape: claim.shape, dtype: x.dtype };
    case "pad":
      checkPad(primitive, x, claim.shape);
      return { shape: claim.shape, dtype: x.dtype };
    case "window":
      return { shape: windowed(primitive, x), dtype: x.dtype };
    case "reduce":
      return { shape: reduced(primitive, x), dtype: x.dtype };
    case "scan":
      check.checkDType(`scan ${primitive.fn}`, x, NUMBERS);
      check.checkAxis(`scan ${primitive.fn}`, primitive.axis, x.shape.length);
      return x;
    default:
      assert(false, `inferNode: expected a primitive of one input, found ${primitive.kind}`);
  }
}

function inferRandom({ distribution }: PrimitiveOf<"random">, key: Node, { shape }: Claim): Claim {
  check.checkShape("random", shape);
  check.checkDType("random", key, ["uint32"]);
  if (!sameShape(key.shape, [2])) {
    throw new ShapeError(`random: expected a key of shape [2], found ${formatShape(key.shape)}`);
  }
  return { shape, dtype: distribution === "bits" ? "uint32" : "float32" };
}

function unaryDTypes(fn: UnaryFunction): readonly DType[] {
  if (fn === "not") return ["bool"];
  return fn === "negate" || fn === "abs" || fn === "sign" ? SIGNED : FLOATS;
}

function reshaped(x: Node, shape: Shape): Shape {
  check.checkShape("reshape", shape);
  if (elementCount(shape) !== elementCount(x.shape)) {
    const expected = `a shape of ${elementCount(x.shape)} elements for ${formatShape(x.shape)}`;
    throw new ShapeError(`reshape: expected ${expected}, found ${formatShape(shape)}`);
  }
  return shape;
}

function permuted({ order }: PrimitiveOf<"permute">, { shape }: Node): Shape {
  if (order.length !== shape.length || new Set(order).size !== shape.length) {
    throw new OptionError(`permute: expected each of ${shape.length} axes once, found ${formatShape(order)}`);
  }
  for (const axis of order) check.checkAxis("permute", axis, shape.length);
  return order.map((axis) => sizeAt(shape, axis));
}

function expanded(x: Node, shape: Shape): Shape {
  check.checkShape("expand", shape);
  if (shape.length !== x.shape.length || !x.shape.every((size, axis) => size === 1 || size === shape[axis])) {
    throw new ShapeError(
      `expand: expected a shape that ${formatShape(x.shape)} repeats to, found ${formatShape(shape)}`,
    );
  }
  return shape;
}

function checkSlice({ starts, steps }: PrimitiveOf<"slice">, x: Node, sizes: Shape): void {
  const rank = x.shape.length;
  check.checkPerAxis("slice", "starts", starts, rank, 0);
  check.checkPerAxis("slice", "sizes", sizes, rank, 0);
  check.checkPerAxis("slice", "steps", steps, rank, -Infinity);
  for (const [axis, size] of sizes.entries()) {
    const [start, step, length] = [sizeAt(starts, axis), sizeAt(steps, axis), sizeAt(x.shape, axis)];
    const last = start + (size - 1) * step;
    if (size === 0 || (step !== 0 && start < length && last >= 0 && last < length)) continue;
    throw new ShapeError(
      `slice: expected elements 0 to ${length - 1} of axis ${axis}, found ${start} to ${last} in steps of ${step}`,
    );
  }
}

function checkPad({ low, interior }: PrimitiveOf<"pad">, x: Node, shape: Shape): void {
  const rank = x.shape.length;
  check.checkPerAxis("pad", "low", low, rank, -Infinity);
  check.checkPerAxis("pad", "interior", interior, rank, 0);
  check.checkShape("pad", shape);
  check.checkPerAxis("pad", "sizes", shape, rank, 0);
}

function windowed({ axis, size, stride, dilation }: PrimitiveOf<"window">, x: Node): Shape {
  check.checkAxis("window", axis, x.shape.length);
  check.checkPerAxis("window", "size, stride and dilation", [size, stride, dilation], 3, 1);
  const length = sizeAt(x.shape, axis);
  const span = (size - 1) * dilation + 1;
  if (span > length) {
    throw new ShapeError(`window: expected windows of at most ${length} elements at axis ${axis}, found ${span}`);
  }
  const shape = [...withSize(x.shape, axis, Math.floor((length - span) / stride) + 1), size];
  check.checkShape("window", shape);
  return shape;
}

function reduced({ fn, axes }: PrimitiveOf<"reduce">, x: Node): Shape {
  check.checkDType(fn, x, NUMBERS);
  for (const axis of axes) check.checkAxis(fn, axis, x.shape.length);
  if (new Set(axes).size !== axes.length) {
    throw new OptionError(`${fn}: expected distinct axes, found ${formatShape(axes)}`);
  }
  return x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

function inferOfTwo(primitive: Primitive, x: Node, y: Node, claim: Claim): Claim {
  switch (primitive.kind) {
    case "binary":
      return inferBinary(primitive.fn, x, y);
    case "gather":
      return inferGather(primitive.axis, x, y);
    case "scatterAdd":
      return inferScatterAdd(primitive.axis, x, y, claim.shape);
    case "barrier":
      return x;
    case "contraction":
      return inferContraction(x, y);
    default:
      assert(false, `inferNode: expected a primitive of two inputs, found ${primitive.kind}`);
  }
}

const COMPARISONS: ReadonlySet<BinaryFunction> = new Set(["less", "lessEqual", "equal", "notEqual"]);

function binaryDTypes(fn: BinaryFunction): readonly DType[] {
  if (fn === "and" || fn === "or") return BITS;
  return fn === "equal" || fn === "notEqual" ? ["bool", ...NUMBERS] : NUMBERS;
}

function inferBinary(fn: BinaryFunction, a: Node, b: Node): Claim {
  check.checkDType(fn, a, binaryDTypes(fn));
  check.checkSameDType(fn, a, b);
  check.checkSameShape(fn, a, b);
  return { shape: a.shape, dtype: COMPARISONS.has(fn) ? "bool" : a.dtype };
}

function inferSelect(condition: Node, a: Node, b: Node): Claim {
  check.checkDType("select", condition, ["bool"]);
  check.checkSameDType("select", a, b);
  check.checkSameShape("select", a, b);
  check.checkSameShape("select", condition, a);
  return a;
}

function inferGather(axis: number, x: Node, indices: Node): Claim {
  check.checkAxis("gather", axis, x.shape.length);
  check.checkDType("gather", indices, ["int32"]);
  check.checkSameShapeBut("gather", axis, x, indices);
  if (x.shape[axis] === 0 && elementCount(indices.shape) > 0) {
    throw new ShapeError(`gather: expected elements to pick along axis ${axis}, found ${formatShape(x.shape)}`);
  }
  return { shape: indices.shape, dtype: x.dtype };
}

function inferScatterAdd(axis: number, x: Node, indices: Node, shape: Shape): Claim {
  check.checkDType("scatterAdd", x, NUMBERS);
  check.checkAxis("scatterAdd", axis, x.shape.length);
  check.checkDType("scatterAdd", indices, ["int32"]);
  check.checkSameShape("scatterAdd", x, indices);
  check.checkShape("scatterAdd", shape);
  check.checkSameShapeBut("scatterAdd", axis, x, { shape });
  return { shape, dtype: x.dtype };
}

function inferContraction(a: Node, b: Node): Claim {
  check.checkDType("contraction", a, FLOATS);
  check.checkDType("contraction", b, FLOATS);
  const [batch = 0, rows = 0, inner = 0] = a.shape;
  const fits = a.shape.length === 3 && b.shape.length === 3 && b.shape[0] === batch && b.shape[1] === inner;
  if (!fits) {
    const found = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
    throw new ShapeError(`contraction: expected shapes [B, M, K] and [B, K, N], found ${found}`);
  }
  const shape = [batch, rows, sizeAt(b.shape, 2)];
  check.checkShape("contraction", shape);
  return { shape, dtype: "float32" };
}
