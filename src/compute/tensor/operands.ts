/** Brings the operands of elementwise ops to one dtype and one shape. */
import { UnsupportedError } from "../../base/errors.ts";
import { constant } from "../compiler/graph.ts";
import type { Shape } from "../compiler/ir.ts";
import { isFloat, type DType } from "../layout/dtype.ts";
import { sourceTensor } from "./op.ts";
import { broadcastTo } from "./ops/broadcast-to.ts";
import { castTo } from "./ops/cast.ts";
import { promote, promoteNumber } from "./promote.ts";
import { broadcastShapes } from "./shapes.ts";
import type { Tensor } from "./tensor.ts";

/** What arithmetic takes beside a tensor: another that broadcasts with it, or a number. */
export type Operand = Tensor | number;

/** `value` everywhere; no bytes are stored. */
export function filled(shape: Shape, value: number, dtype: DType = "float32"): Tensor {
  return sourceTensor(constant(value, shape, dtype));
}

/** Both operands in their common dtype and shape. @throws ShapeError */
export function binaryOperands(operation: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const dtype = commonDType(a, b);
  const shape = broadcastShapes(operation, shapeOf(a), shapeOf(b));
  return [toOperand(a, shape, dtype), toOperand(b, shape, dtype)];
}

/** As `binaryOperands`, integers in float32: for true division and the like. */
export function floatOperands(operation: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const shape = broadcastShapes(operation, shapeOf(a), shapeOf(b));
  const dtype = floatOf(commonDType(a, b));
  return [toOperand(a, shape, dtype), toOperand(b, shape, dtype)];
}

/** `x` cast and broadcast. */
export function toOperand(x: Operand, shape: Shape, dtype: DType): Tensor {
  return typeof x === "number" ? filled(shape, x, dtype) : broadcastTo(castTo(x, dtype), shape);
}

/** The shape of an operand; a number's is []. */
export function shapeOf(x: Operand): Shape {
  return typeof x === "number" ? [] : x.shape;
}

/** The dtype that both operands promote to. */
export function commonDType(a: Operand, b: Operand): DType {
  if (typeof a === "number") return typeof b === "number" ? "float32" : promoteNumber(b.dtype, a);
  return typeof b === "number" ? promoteNumber(a.dtype, b) : promote(a.dtype, b.dtype);
}

/** `x` in float32 if it is of integers. */
export function toFloat(x: Tensor): Tensor {
  return castTo(x, floatOf(x.dtype));
}

function floatOf(dtype: DType): DType {
  return isFloat(dtype) ? dtype : "float32";
}

/** @throws UnsupportedError unless `x` is of int32 or uint32, as indices must be; the result is int32 */
export function toIndices(operation: string, x: Tensor): Tensor {
  if (x.dtype !== "int32" && x.dtype !== "uint32") {
    throw new UnsupportedError(`${operation}: expected integer indices, found ${x.dtype}`);
  }
  return castTo(x, "int32");
}
