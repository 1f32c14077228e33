/** Brings the operands of elementwise ops to one dtype and one shape. */
import { UnsupportedError } from "../../base/errors.ts";
import { constant } from "../compiler/graph.ts";
import type { Shape } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";
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

/** Both operands in their common dtype and shape. @throws ShapeError, UnsupportedError */
export function binaryOperands(operation: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const dtype = commonDType(operation, a, b);
  const shape = broadcastShapes(operation, shapeOf(a), shapeOf(b));
  return [toOperand(a, shape, dtype), toOperand(b, shape, dtype)];
}

/** As `binaryOperands`, in float32: for true division and the like. */
export function floatOperands(operation: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const shape = broadcastShapes(operation, shapeOf(a), shapeOf(b));
  return [toOperand(a, shape, "float32"), toOperand(b, shape, "float32")];
}

/** `x` cast and broadcast. */
export function toOperand(x: Operand, shape: Shape, dtype: DType): Tensor {
  return typeof x === "number" ? filled(shape, x, dtype) : broadcastTo(castTo(x, dtype), shape);
}

/** The shape of an operand; a number's is []. */
export function shapeOf(x: Operand): Shape {
  return typeof x === "number" ? [] : x.shape;
}

/** The dtype that both operands promote to. @throws UnsupportedError */
export function commonDType(operation: string, a: Operand, b: Operand): DType {
  if (typeof a === "number") return typeof b === "number" ? "float32" : promoteNumber(b.dtype, a);
  return typeof b === "number" ? promoteNumber(a.dtype, b) : promote(operation, a.dtype, b.dtype);
}

/** `x` in float32 if it is of integers. */
export function toFloat(x: Tensor): Tensor {
  return castTo(x, "float32");
}

/** @throws UnsupportedError unless `x` is of int32 or uint32, as indices must be; the result is int32 */
export function toIndices(operation: string, x: Tensor): Tensor {
  if (x.dtype !== "int32" && x.dtype !== "uint32") {
    throw new UnsupportedError(`${operation}: expected integer indices, found ${x.dtype}`);
  }
  return castTo(x, "int32");
}
