/** Comparisons and logic: results are bool and carry no gradient. */
import { binary, cast, unary } from "../../compiler/graph.ts";
import type { BinaryFunction, Node } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { binaryOperands, shapeOf, toOperand } from "../operands.ts";
import type { Operand } from "../operands.ts";
import { broadcastShapes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";

function comparison(fn: BinaryFunction): (a: Operand, b: Operand) => Tensor {
  const isOrder = fn === "less" || fn === "lessEqual";
  const number = (x: Node): Node => (isOrder && x.dtype === "bool" ? cast(x, "int32") : x);
  const op = defineOp<[Tensor, Tensor]>({
    name: fn,
    forward: ([a, b]) => binary(fn, number(a), number(b)),
    backward: null,
  });
  return (a, b) => op(binaryOperands(fn, a, b), null);
}

function logic(fn: "and" | "or"): (a: Operand, b: Operand) => Tensor {
  const op = defineOp<[Tensor, Tensor]>({ name: fn, forward: ([a, b]) => binary(fn, a, b), backward: null });
  return (a, b) => {
    const shape = broadcastShapes(fn, shapeOf(a), shapeOf(b));
    return op([toOperand(a, shape, "bool"), toOperand(b, shape, "bool")], null);
  };
}

const notOp = defineOp<[Tensor]>({ name: "not", forward: ([x]) => unary("not", x), backward: null });

/** a < b */
export const lt: (a: Operand, b: Operand) => Tensor = comparison("less");
/** a <= b */
export const le: (a: Operand, b: Operand) => Tensor = comparison("lessEqual");
/** a = b */
export const eq: (a: Operand, b: Operand) => Tensor = comparison("equal");
/** a is not b */
export const ne: (a: Operand, b: Operand) => Tensor = comparison("notEqual");
/** Both are not 0. */
export const logicalAnd: (a: Operand, b: Operand) => Tensor = logic("and");
/** One of them is not 0. */
export const logicalOr: (a: Operand, b: Operand) => Tensor = logic("or");

/** One of them is not 0, the other is. */
export function logicalXor(a: Operand, b: Operand): Tensor {
  return ne(logicalOr(a, 0), logicalOr(b, 0));
}

/** a > b */
export function gt(a: Operand, b: Operand): Tensor {
  return lt(b, a);
}

/** a >= b */
export function ge(a: Operand, b: Operand): Tensor {
  return le(b, a);
}

/** x is 0. */
export function logicalNot(x: Tensor): Tensor {
  return notOp([castTo(x, "bool")], null);
}
